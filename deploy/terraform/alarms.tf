locals {
  alarm_actions = var.alarm_topic == "" ? [] : [var.alarm_topic]

  criteria = {
    data_loss  = "Published events are unaccounted for. Look at Cutover, data loss."
    parity     = "The two paths ask different things of analytics. Look at Cutover, parity."
    throughput = "OK once a minute has reached 100 events; without data until then. A quiet time is no failure, so it never alarms."
    error_rate = "A consumer fails too often. Look at Consumers, last errors."
    latency    = "Events are processed too late. Look at Consumers, in flight."
    audit      = "The audit trail has gaps. Look at Cutover, audit trail."
  }
}

# The dashboard of an operator says once a minute of each criterion whether it fails. Of one that is unknown it says nothing, and
# nothing is not taken for passing.
resource "aws_cloudwatch_metric_alarm" "criterion_alarm" {
  for_each = local.criteria

  alarm_name          = "${var.prefix}-criterion-${replace(each.key, "_", "-")}"
  alarm_description   = each.value
  namespace           = "Cutover"
  metric_name         = "CriterionFailing"
  dimensions          = { Criterion = each.key, Deployment = var.prefix }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
}

# An operator's dashboard that tells nothing at all is not there.
resource "aws_cloudwatch_metric_alarm" "criteria_untold_alarm" {
  count = local.operate ? local.dashboard : 0

  alarm_name          = "${var.prefix}-criteria-untold"
  alarm_description   = "Nobody says how the criteria stand. Look whether the dashboard runs."
  namespace           = "Cutover"
  metric_name         = "CriteriaTold"
  dimensions          = { Deployment = var.prefix }
  statistic           = "SampleCount"
  period              = 60
  evaluation_periods  = 5
  threshold           = 1
  comparison_operator = "LessThanThreshold"
  treat_missing_data  = "breaching"
  alarm_actions       = local.alarm_actions
  depends_on          = [aws_ecs_service.service]
}

# These need no dashboard: they tell when none takes the dead letters over.
resource "aws_cloudwatch_metric_alarm" "dead_letters_alarm" {
  for_each = toset(var.pipeline ? concat(["event"], keys(local.consumers)) : [])

  alarm_name          = "${var.prefix}-${each.key}-dlq-waiting"
  alarm_description   = "Dead letters wait; no operator's dashboard takes them over."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = "${var.prefix}-${each.key}-dlq" }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 3
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  alarm_actions       = local.alarm_actions
}
