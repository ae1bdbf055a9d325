locals {
  # What each takes, and what it does beside reading its queue.
  consumers = {
    analytics = {
      pattern = {
        source = ["transaction.service", "account.service"]
        "$or" = [
          { detail-type = ["file.processed"], detail = { data = { processingStatus = [{ anything-but = "failed" }] } } },
          {
            detail-type = [
              "transactions.created",
              "transaction.updated",
              "transactions.deleted",
              "account.created",
              "account.updated",
              "account.deleted",
            ]
          },
        ]
      }
      may = [
        { actions = ["dynamodb:Query", "dynamodb:UpdateItem"], of = ["analytics_status"] },
        { actions = ["dynamodb:PutItem"], of = ["triggers"] },
      ]
      environment = {}
    }
    categorization = {
      pattern = {
        "$or" = [
          {
            detail-type = ["file.processed"]
            detail      = { data = { processingStatus = ["success"], transactionCount = [{ numeric = [">", 0] }] } }
          },
          { detail-type = ["transactions.created"] },
          { detail-type = ["category.rule_created"], detail = { data = { autoApply = [true] } } },
        ]
      }
      may = [
        { actions = ["dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:UpdateItem"], of = ["transactions"] },
        { actions = ["dynamodb:Query"], of = ["category_rules"] },
        { actions = ["events:PutEvents"], of = ["bus"] },
      ]
      environment = {}
    }
    notification = {
      pattern = {
        "$or" = [
          { detail-type = ["file.processed"], detail = { data = { processingStatus = ["failed"] } } },
          { detail-type = ["transactions.deleted"], detail = { data = { deletionType = ["bulk"] } } },
          { detail-type = ["account.deleted"] },
        ]
      }
      may         = [{ actions = ["dynamodb:PutItem"], of = ["notifications"] }]
      environment = { CUTOVER_NOTIFICATIONS__WEBHOOK = var.webhook }
    }
    audit = {
      # Every event, whatever its source.
      pattern     = { source = [{ prefix = "" }] }
      may         = [{ actions = ["dynamodb:PutItem"], of = ["event_store", "facets"] }]
      environment = {}
    }
  }

  made = { for name, consumer in local.consumers : name => consumer if var.pipeline }

  arns = merge(
    { for id, table in aws_dynamodb_table.this : id => table.arn },
    { facets = aws_dynamodb_table.facets.arn, bus = one(aws_cloudwatch_event_bus.bus[*].arn) },
  )
}

# Each consumer has a queue of its own: a retry takes seconds, where Lambda's asynchronous ones wait one and two minutes.
resource "aws_sqs_queue" "queue" {
  for_each = local.made

  name = "${var.prefix}-${each.key}"
  # A dead letter's age counts from its first queue: what is moved has most of its fortnight left.
  message_retention_seconds = 345600
  sqs_managed_sse_enabled   = true
  # How long a message waits whose function was killed; one that failed comes again within seconds. Six times the function's
  # timeout, as AWS recommends, would be three minutes; a batch takes less than a second.
  visibility_timeout_seconds = 30

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters[each.key].arn
    # The function gives up after three attempts, with the reason. This is for what kills it, and for throttled invocations.
    maxReceiveCount = 5
  })
}

resource "aws_sqs_queue" "dead_letters" {
  for_each = local.made

  name                      = "${var.prefix}-${each.key}-dlq"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
}

resource "aws_lambda_function" "this" {
  for_each = local.made

  function_name = "${var.prefix}-${each.key}-consumer"
  runtime       = "provided.al2023"
  architectures = ["x86_64"]
  handler       = "bootstrap"
  memory_size   = 256
  timeout       = 30
  role          = aws_iam_role.role[each.key].arn
  s3_bucket     = var.code_bucket
  s3_key        = var.code_key

  environment {
    variables = merge(
      { CUTOVER_CONSUMER = each.key, CUTOVER_AWS__PREFIX = var.prefix },
      each.value.environment,
    )
  }

  # Else the first invocation makes one without an end to what it keeps.
  depends_on = [aws_cloudwatch_log_group.log]
}

resource "aws_lambda_event_source_mapping" "feed" {
  for_each = local.made

  event_source_arn        = aws_sqs_queue.queue[each.key].arn
  function_name           = aws_lambda_function.this[each.key].function_name
  batch_size              = 10
  function_response_types = ["ReportBatchItemFailures"]
}

resource "aws_cloudwatch_log_group" "log" {
  for_each = local.made

  name              = "/aws/lambda/${var.prefix}-${each.key}-consumer"
  retention_in_days = 30
}

resource "aws_iam_role" "role" {
  for_each = local.made

  name_prefix = substr("${var.prefix}-${each.key}-", 0, 38)
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "lambda.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy_attachment" "role" {
  for_each = local.made

  role       = aws_iam_role.role[each.key].name
  policy_arn = aws_iam_policy.consumer_policy[0].arn
}

resource "aws_iam_role_policy" "role" {
  for_each = local.made

  name = each.key
  role = aws_iam_role.role[each.key].name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [for may in each.value.may : { Effect = "Allow", Action = may.actions, Resource = [for id in may.of : local.arns[id]] }],
      [
        {
          Effect = "Allow"
          Action = [
            "sqs:ChangeMessageVisibility",
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
            "sqs:GetQueueUrl",
            "sqs:ReceiveMessage",
          ]
          Resource = aws_sqs_queue.queue[each.key].arn
        },
        {
          Effect   = "Allow"
          Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
          Resource = "${aws_cloudwatch_log_group.log[each.key].arn}:*"
        },
      ],
    )
  })
}
