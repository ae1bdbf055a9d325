output "viewer_policy" {
  value = aws_iam_policy.viewer_policy.arn
}

output "operator_policy" {
  value = aws_iam_policy.operator_policy.arn
}

output "bus_name" {
  value = one(aws_cloudwatch_event_bus.bus[*].name)
}

output "event_store_table" {
  value = one([for id, table in aws_dynamodb_table.this : table.name if id == "event_store"])
}

output "balancer_name" {
  description = "What the DNS record of the host points to."
  value       = one(aws_lb.balancer[*].dns_name)
}
