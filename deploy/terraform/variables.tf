variable "prefix" {
  type        = string
  default     = "housef3-dev"
  description = "What every name begins with."

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,39}$", var.prefix))
    error_message = "Small letters, digits and hyphens, 40 at most."
  }
}

variable "code_bucket" {
  type        = string
  default     = "none"
  description = "The bucket that holds the consumers' code."
}

variable "code_key" {
  type        = string
  default     = "cutover-consumer.zip"
  description = "The zip in that bucket, with the binary as `bootstrap`. New code needs a new name."
}

variable "pipeline" {
  type        = bool
  default     = true
  description = "Whether to make the bus, the event store and the consumers. Without, Cutover's own tables alone, beside a pipeline that is there already."
}

variable "webhook" {
  type        = string
  default     = ""
  sensitive   = true
  description = "Where notifications are sent. Empty for the function's log."
}

variable "alarm_topic" {
  type        = string
  default     = ""
  description = "The SNS topic, as an ARN, that hears of alarms. Empty for none."
}

variable "flag_functions" {
  type        = list(string)
  default     = []
  description = "The publishers' functions, as ARNs, whose environments the flags are written to."
}

variable "image" {
  type        = string
  default     = ""
  description = "The dashboard's container image, of deploy/Containerfile. Empty for no dashboard; with one, everything below is needed."

  # Said before anything is made, not half way through.
  validation {
    condition = var.image == "" || !contains([
      var.host, var.certificate, var.vpc, var.allowed_cidr, var.oidc_issuer, var.oidc_authorization_endpoint, var.oidc_token_endpoint,
      var.oidc_user_info_endpoint, var.oidc_client_id, var.oidc_client_secret
    ], "")
    error_message = "With an image, everything that has no default is needed."
  }
}

variable "role" {
  type        = string
  default     = "viewer"
  description = "Whether the dashboard may only look, or also redrive, pause, set flags and take dead letters over."

  validation {
    condition     = contains(["viewer", "operator"], var.role)
    error_message = "viewer or operator."
  }
}

variable "host" {
  type        = string
  default     = ""
  description = "The name under which people reach the dashboard; a DNS record of yours points it to the load balancer."
}

variable "certificate" {
  type        = string
  default     = ""
  description = "The certificate for that name, as an ARN of ACM's."
}

variable "vpc" {
  type        = string
  default     = ""
  description = "The network."
}

variable "subnets" {
  type        = list(string)
  default     = []
  description = "Two subnets or more, in different zones, from which AWS's APIs and the identity provider can be reached."
}

variable "scheme" {
  type        = string
  default     = "internal"
  description = "Whether the load balancer has public addresses; then the subnets must be public ones."

  validation {
    condition     = contains(["internal", "internet-facing"], var.scheme)
    error_message = "internal or internet-facing."
  }
}

variable "allowed_cidr" {
  type        = string
  default     = ""
  description = "The addresses that may reach the load balancer, such as 10.0.0.0/8."
}

variable "oidc_issuer" {
  type        = string
  default     = ""
  description = "The identity provider that people sign in at, as its discovery document names it and its endpoints. It sends them back to https://HOST/oauth2/idpresponse."
}

variable "oidc_authorization_endpoint" {
  type    = string
  default = ""
}

variable "oidc_token_endpoint" {
  type    = string
  default = ""
}

variable "oidc_user_info_endpoint" {
  type    = string
  default = ""
}

variable "oidc_client_id" {
  type        = string
  default     = ""
  description = "The client that the provider knows the dashboard as."
}

variable "oidc_client_secret" {
  type        = string
  default     = ""
  description = "The name of the secret in Secrets Manager that holds the client's secret, as text."
}
