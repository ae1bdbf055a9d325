# What every consumer writes down: that it is done, or that it gave up.
resource "aws_iam_policy" "consumer_policy" {
  count = var.pipeline ? 1 : 0

  name_prefix = "${var.prefix}-consumer-"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
        Resource = [local.arns.ledger, local.arns.letters]
      },
      { Effect = "Allow", Action = "dynamodb:UpdateItem", Resource = local.arns.totals },
    ]
  })
}

# All that a dashboard reads. It changes nothing.
resource "aws_iam_policy" "viewer_policy" {
  name_prefix = "${var.prefix}-viewer-"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Effect = "Allow"
          Action = ["dynamodb:BatchGetItem", "dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:Query"]
          # The last one covers the indexes of Cutover's own tables as well.
          Resource = [
            "${local.arn.dynamodb}:table/${var.prefix}-event-store",
            "${local.arn.dynamodb}:table/${var.prefix}-event-store/index/*",
            "${local.arn.dynamodb}:table/${var.prefix}-cutover-*",
          ]
        },
        # Which types there are, by an item of each.
        {
          Effect   = "Allow"
          Action   = "dynamodb:Scan"
          Resource = "${local.arn.dynamodb}:table/${var.prefix}-event-store/index/*"
        },
        # IAM can't limit these to a deployment.
        {
          Effect = "Allow"
          Action = [
            "cloudwatch:DescribeAlarms",
            "cloudwatch:GetMetricData",
            "cloudwatch:ListMetrics",
            "events:ListRules",
            "lambda:ListEventSourceMappings",
          ]
          Resource = "*"
        },
        {
          Effect   = "Allow"
          Action   = "events:DescribeEventBus"
          Resource = "${local.arn.events}:event-bus/${var.prefix}-events"
        },
        {
          Effect   = "Allow"
          Action   = "events:ListTargetsByRule"
          Resource = "${local.arn.events}:rule/${var.prefix}-events/*"
        },
        {
          Effect   = "Allow"
          Action   = ["lambda:GetFunctionConfiguration", "lambda:GetFunctionEventInvokeConfig"]
          Resource = "${local.arn.lambda}:function:${var.prefix}-*-consumer"
        },
        {
          Effect   = "Allow"
          Action   = ["sqs:GetQueueAttributes", "sqs:GetQueueUrl"]
          Resource = "${local.arn.sqs}:${var.prefix}-*"
        },
      ],
      # An environment may hold more than flags: of those that were named, not of all.
      length(var.flag_functions) == 0 ? [] : [{
        Effect   = "Allow"
        Action   = "lambda:GetFunctionConfiguration"
        Resource = var.flag_functions
      }],
    )
  })
}

# What redrive, pausing, flags and the takeover of dead letters write: beside the viewer's, never alone.
resource "aws_iam_policy" "operator_policy" {
  name_prefix = "${var.prefix}-operator-"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Effect   = "Allow"
          Action   = "dynamodb:PutItem"
          Resource = [local.arns.activity, local.arns.flags, local.arns.ledger, local.arns.letters, local.arns.operations]
        },
        {
          Effect   = "Allow"
          Action   = "dynamodb:UpdateItem"
          Resource = [local.arns.letters, local.arns.operation_items, local.arns.operations, local.arns.totals]
        },
        { Effect = "Allow", Action = "dynamodb:BatchWriteItem", Resource = local.arns.operation_items },
        # What was never published is published, and what one consumer gave up on is sent to that one again.
        {
          Effect   = "Allow"
          Action   = "events:PutEvents"
          Resource = "${local.arn.events}:event-bus/${var.prefix}-events"
        },
        {
          Effect   = "Allow"
          Action   = "sqs:SendMessage"
          Resource = [for name in keys(local.consumers) : "${local.arn.sqs}:${var.prefix}-${name}"]
        },
        {
          Effect   = "Allow"
          Action   = "lambda:InvokeFunction"
          Resource = "${local.arn.lambda}:function:${var.prefix}-*-consumer"
        },
        {
          Effect   = "Allow"
          Action   = "lambda:UpdateEventSourceMapping"
          Resource = "${local.arn.lambda}:event-source-mapping:*"
          # A mapping's own ARN says nothing of whose it is.
          Condition = { ArnLike = { "lambda:FunctionArn" = "${local.arn.lambda}:function:${var.prefix}-*" } }
        },
        {
          Effect   = "Allow"
          Action   = ["sqs:DeleteMessage", "sqs:ReceiveMessage"]
          Resource = "${local.arn.sqs}:${var.prefix}-*dlq"
        },
        {
          Effect = "Allow"
          Action = "cloudwatch:PutMetricData"
          # Limited by namespace: a metric is no resource.
          Resource  = "*"
          Condition = { StringEquals = { "cloudwatch:namespace" = "Cutover" } }
        },
      ],
      length(var.flag_functions) == 0 ? [] : [{
        Effect   = "Allow"
        Action   = "lambda:UpdateFunctionConfiguration"
        Resource = var.flag_functions
      }],
    )
  })
}
