# What deploy/cutover.yaml makes, as a Terraform module; a test compares the two, resource by resource.
#
#   module "cutover" {
#     source      = "git::https://…/cutover.git//deploy/terraform"
#     prefix      = "housef3-dev"
#     code_bucket = "my-bucket"
#   }
#
# An address here is an id there: aws_sqs_queue.dead_letters["audit"] is AuditDeadLetters, and `this` adds nothing to it.

terraform {
  # Validations that look at another variable.
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0, < 7.0"
    }
  }
}

data "aws_partition" "current" {}

data "aws_region" "current" {}

data "aws_caller_identity" "current" {}

locals {
  region  = data.aws_region.current.id
  account = data.aws_caller_identity.current.account_id

  # What an ARN of a service begins with.
  arn = {
    for service in ["dynamodb", "ecr", "events", "lambda", "sqs"] :
    service => "arn:${data.aws_partition.current.partition}:${service}:${local.region}:${local.account}"
  }
}
