locals {
  tables = {
    event_store = {
      pipeline = true
      name     = "event-store"
      hash     = "eventId"
      range    = "timestamp"
      attributes = {
        eventId       = "S"
        timestamp     = "N"
        userId        = "S"
        eventType     = "S"
        source        = "S"
        correlationId = "S"
      }
      indexes = {
        UserIdTimestampIndex        = ["userId", "timestamp"]
        EventTypeTimestampIndex     = ["eventType", "timestamp"]
        SourceTimestampIndex        = ["source", "timestamp"]
        CorrelationIdTimestampIndex = ["correlationId", "timestamp"]
      }
      # Items without it stay.
      expire_by = ["ttl"]
    }
    # The application's: which analytics are to be computed. The index holds those, the most urgent first.
    analytics_status = {
      pipeline   = true
      name       = "analytics-status"
      hash       = "userId"
      range      = "analyticType"
      attributes = { userId = "S", analyticType = "S", needed = "S", rank = "N" }
      indexes    = { NeededIndex = ["needed", "rank"] }
    }
    transactions = {
      pipeline   = true
      name       = "transactions"
      hash       = "userId"
      range      = "transactionId"
      attributes = { userId = "S", transactionId = "S" }
    }
    category_rules = {
      pipeline   = true
      name       = "category-rules"
      hash       = "userId"
      range      = "ruleId"
      attributes = { userId = "S", ruleId = "S" }
    }
    activity = {
      pipeline   = false
      name       = "cutover-activity"
      hash       = "log"
      range      = "id"
      attributes = { log = "S", id = "N" }
    }
    letters = {
      pipeline   = false
      name       = "cutover-letters"
      hash       = "id"
      attributes = { id = "S", status = "S", failedAt = "N" }
      indexes    = { StatusFailedAtIndex = ["status", "failedAt"] }
    }
    flags = {
      pipeline   = false
      name       = "cutover-flags"
      hash       = "kind"
      range      = "key"
      attributes = { kind = "S", key = "S" }
    }
    # What became of each event. The index holds what is still open, and nothing else.
    ledger = {
      pipeline   = false
      name       = "cutover-ledger"
      hash       = "eventId"
      attributes = { eventId = "S", open = "S", publishedMillis = "N" }
      indexes    = { OpenPublishedAtIndex = ["open", "publishedMillis"] }
    }
    # The ledger's totals, in a few items: one alone would take a thousand changes a second at most.
    totals = {
      pipeline   = false
      name       = "cutover-totals"
      hash       = "shard"
      attributes = { shard = "S" }
    }
    triggers = {
      pipeline   = false
      name       = "cutover-triggers"
      hash       = "operationId"
      range      = "path"
      attributes = { operationId = "S", path = "S", eventType = "S", at = "N" }
      indexes    = { EventTypeAtIndex = ["eventType", "at"] }
      expire_by  = ["ttl"]
    }
    notifications = {
      pipeline   = false
      name       = "cutover-notifications"
      hash       = "eventId"
      attributes = { eventId = "S" }
    }
    operations = {
      pipeline   = false
      name       = "cutover-operations"
      hash       = "id"
      attributes = { id = "S", list = "S", busy = "S", createdAt = "N" }
      # The second has those that are not settled, and nothing else.
      indexes = { ListIndex = ["list", "createdAt"], BusyIndex = ["busy", "createdAt"] }
    }
    operation_items = {
      pipeline   = false
      name       = "cutover-operation-items"
      hash       = "operation"
      range      = "n"
      attributes = { operation = "S", n = "N", letterId = "S" }
      indexes    = { LetterIndex = ["letterId", "operation"] }
    }
  }
}

resource "aws_dynamodb_table" "this" {
  for_each = { for id, table in local.tables : id => table if var.pipeline || !table.pipeline }

  name         = "${var.prefix}-${each.value.name}"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = each.value.hash
  range_key    = lookup(each.value, "range", null)

  point_in_time_recovery {
    enabled = true
  }

  dynamic "attribute" {
    for_each = each.value.attributes
    content {
      name = attribute.key
      type = attribute.value
    }
  }

  dynamic "global_secondary_index" {
    for_each = lookup(each.value, "indexes", {})
    content {
      name            = global_secondary_index.key
      hash_key        = global_secondary_index.value[0]
      range_key       = global_secondary_index.value[1]
      projection_type = "ALL"
    }
  }

  dynamic "ttl" {
    for_each = lookup(each.value, "expire_by", [])
    content {
      attribute_name = ttl.value
      enabled        = true
    }
  }

  lifecycle {
    prevent_destroy = true
  }
}

# Which types and sources there are: a table of events can't be asked for that. It can be made again, so it isn't kept.
resource "aws_dynamodb_table" "facets" {
  name         = "${var.prefix}-cutover-facets"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "kind"
  range_key    = "value"

  attribute {
    name = "kind"
    type = "S"
  }

  attribute {
    name = "value"
    type = "S"
  }
}
