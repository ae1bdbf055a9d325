resource "aws_cloudwatch_event_bus" "bus" {
  count = var.pipeline ? 1 : 0

  name = "${var.prefix}-events"
}

# What a publisher could not publish.
resource "aws_sqs_queue" "event_dead_letters" {
  count = var.pipeline ? 1 : 0

  name                      = "${var.prefix}-event-dlq"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
}

resource "aws_cloudwatch_event_rule" "rule" {
  for_each = local.made

  name           = "${var.prefix}-${each.key}"
  event_bus_name = aws_cloudwatch_event_bus.bus[0].name
  event_pattern  = jsonencode(each.value.pattern)
}

resource "aws_cloudwatch_event_target" "rule" {
  for_each = local.made

  # A rule sends nothing to queues that can't be written to yet.
  depends_on = [aws_sqs_queue_policy.queue, aws_sqs_queue_policy.dead_letters]

  event_bus_name = aws_cloudwatch_event_bus.bus[0].name
  rule           = aws_cloudwatch_event_rule.rule[each.key].name
  target_id      = each.key
  arn            = aws_sqs_queue.queue[each.key].arn

  dead_letter_config {
    arn = aws_sqs_queue.dead_letters[each.key].arn
  }
}

locals {
  queue_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      # A policy is of its queue: whichever of them it is put on.
      Resource  = "${local.arn.sqs}:${var.prefix}-*"
      Condition = { ArnLike = { "aws:SourceArn" = "${local.arn.events}:rule/${var.prefix}-events/${var.prefix}-*" } }
    }]
  })
}

resource "aws_sqs_queue_policy" "queue" {
  for_each = local.made

  queue_url = aws_sqs_queue.queue[each.key].id
  policy    = local.queue_policy
}

resource "aws_sqs_queue_policy" "dead_letters" {
  for_each = local.made

  queue_url = aws_sqs_queue.dead_letters[each.key].id
  policy    = local.queue_policy
}
