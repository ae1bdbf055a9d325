locals {
  dashboard = var.image == "" ? 0 : 1
  operate   = var.role == "operator"
}

data "aws_secretsmanager_secret_version" "oidc_client_secret" {
  count = local.dashboard

  secret_id = var.oidc_client_secret
}

resource "aws_iam_role" "task_role" {
  count = local.dashboard

  name_prefix = substr("${var.prefix}-dashboard-", 0, 38)
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "ecs-tasks.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy_attachment" "viewer" {
  count = local.dashboard

  role       = aws_iam_role.task_role[0].name
  policy_arn = aws_iam_policy.viewer_policy.arn
}

resource "aws_iam_role_policy_attachment" "operator" {
  count = local.operate ? local.dashboard : 0

  role       = aws_iam_role.task_role[0].name
  policy_arn = aws_iam_policy.operator_policy.arn
}

# What starts the container, and not the container, acts under this one.
resource "aws_iam_role" "execution_role" {
  count = local.dashboard

  name_prefix = substr("${var.prefix}-execution-", 0, 38)
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "ecs-tasks.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy" "execution_role" {
  count = local.dashboard

  name = "execution"
  role = aws_iam_role.execution_role[0].name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${aws_cloudwatch_log_group.dashboard_log[0].arn}:*"
      },
      {
        Effect   = "Allow"
        Action   = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = "${local.arn.ecr}:repository/*"
      },
      # IAM can't limit this one.
      { Effect = "Allow", Action = "ecr:GetAuthorizationToken", Resource = "*" },
    ]
  })
}

resource "aws_cloudwatch_log_group" "dashboard_log" {
  count = local.dashboard

  name              = "/cutover/${var.prefix}-dashboard"
  retention_in_days = 30
}

resource "aws_ecs_cluster" "cluster" {
  count = local.dashboard

  name = "${var.prefix}-cutover"
}

resource "aws_ecs_task_definition" "task" {
  count = local.dashboard

  family                   = "${var.prefix}-dashboard"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 512
  memory                   = 1024
  execution_role_arn       = aws_iam_role.execution_role[0].arn
  task_role_arn            = aws_iam_role.task_role[0].arn

  runtime_platform {
    cpu_architecture        = "X86_64"
    operating_system_family = "LINUX"
  }

  # What CloudWatch answered is kept here; a new task asks again.
  volume {
    name = "data"
  }

  container_definitions = jsonencode([{
    name                   = "dashboard"
    image                  = var.image
    essential              = true
    user                   = "65532"
    readonlyRootFilesystem = true
    mountPoints            = [{ sourceVolume = "data", containerPath = "/data" }]
    portMappings           = [{ containerPort = 3000, protocol = "tcp" }]
    environment = [
      { name = "CUTOVER_BACKEND", value = "aws" },
      { name = "CUTOVER_AWS__REGION", value = local.region },
      { name = "CUTOVER_AWS__PREFIX", value = var.prefix },
      { name = "CUTOVER_AWS__METRICS__ALARMS", value = "true" },
      { name = "CUTOVER_AWS__READ_ONLY", value = local.operate ? "false" : "true" },
      { name = "CUTOVER_AWS__FLAG_FUNCTIONS", value = jsonencode(var.flag_functions) },
      { name = "CUTOVER_EMBEDDED__DATA", value = "/data" },
      { name = "CUTOVER_SERVER__HOSTS", value = jsonencode([var.host]) },
      { name = "CUTOVER_SERVER__LISTEN", value = "0.0.0.0:3000" },
    ]
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.dashboard_log[0].name
        awslogs-region        = local.region
        awslogs-stream-prefix = "dashboard"
      }
    }
  }])
}

resource "aws_ecs_service" "service" {
  count = local.dashboard

  # A target group takes tasks when a listener uses it, not before.
  depends_on = [aws_lb_listener.listener]

  name            = "${var.prefix}-dashboard"
  cluster         = aws_ecs_cluster.cluster[0].id
  task_definition = aws_ecs_task_definition.task[0].arn
  launch_type     = "FARGATE"
  desired_count   = 1

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets         = var.subnets
    security_groups = [aws_security_group.task_group[0].id]
    # In public subnets it is the only way to AWS's APIs; from outside nobody gets past the task's security group.
    assign_public_ip = var.scheme == "internet-facing"
  }

  load_balancer {
    container_name   = "dashboard"
    container_port   = 3000
    target_group_arn = aws_lb_target_group.targets[0].arn
  }
}

resource "aws_security_group" "task_group" {
  count = local.dashboard

  name_prefix = "${var.prefix}-dashboard-"
  description = "The dashboard is reached by its load balancer alone."
  vpc_id      = var.vpc

  ingress {
    protocol        = "tcp"
    from_port       = 3000
    to_port         = 3000
    security_groups = [aws_security_group.balancer_group[0].id]
  }

  egress {
    protocol    = "tcp"
    from_port   = 443
    to_port     = 443
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group" "balancer_group" {
  count = local.dashboard

  name_prefix = "${var.prefix}-balancer-"
  description = "The load balancer is reached from the addresses that are allowed."
  vpc_id      = var.vpc

  ingress {
    protocol    = "tcp"
    from_port   = 443
    to_port     = 443
    cidr_blocks = [var.allowed_cidr]
  }

  # By port: two groups that name each other could not be made.
  egress {
    protocol    = "tcp"
    from_port   = 3000
    to_port     = 3000
    cidr_blocks = ["0.0.0.0/0"]
  }

  # The identity provider.
  egress {
    protocol    = "tcp"
    from_port   = 443
    to_port     = 443
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_lb" "balancer" {
  count = local.dashboard

  load_balancer_type         = "application"
  internal                   = var.scheme == "internal"
  subnets                    = var.subnets
  security_groups            = [aws_security_group.balancer_group[0].id]
  drop_invalid_header_fields = true
}

resource "aws_lb_target_group" "targets" {
  count = local.dashboard

  vpc_id      = var.vpc
  target_type = "ip"
  protocol    = "HTTP"
  port        = 3000
  # Live pages keep a connection open for as long as they are looked at; they connect again by themselves.
  deregistration_delay = 15

  health_check {
    path              = "/healthz"
    interval          = 15
    healthy_threshold = 2
  }
}

resource "aws_lb_listener" "listener" {
  count = local.dashboard

  load_balancer_arn = aws_lb.balancer[0].arn
  protocol          = "HTTPS"
  port              = 443
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.certificate

  # The dashboard knows nobody: who was not signed in here doesn't get to it.
  default_action {
    type  = "authenticate-oidc"
    order = 1

    authenticate_oidc {
      issuer                     = var.oidc_issuer
      authorization_endpoint     = var.oidc_authorization_endpoint
      token_endpoint             = var.oidc_token_endpoint
      user_info_endpoint         = var.oidc_user_info_endpoint
      client_id                  = var.oidc_client_id
      client_secret              = data.aws_secretsmanager_secret_version.oidc_client_secret[0].secret_string
      on_unauthenticated_request = "authenticate"
      session_timeout            = 43200
    }
  }

  default_action {
    type             = "forward"
    order            = 2
    target_group_arn = aws_lb_target_group.targets[0].arn
  }
}
