//! Kinds of resources, as Terraform and as CloudFormation has them.

/// A kind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    /// Terraform's name.
    pub(super) terraform: &'static str,
    /// CloudFormation's.
    pub(super) formation: &'static str,
    /// Those of its attributes that aren't called alike, and the properties that they are. What is in a block that occurs once is
    /// `block.attribute`.
    names: &'static [(&'static str, &'static str)],
}

impl Kind {
    /// The kind that Terraform calls so, if it is one by itself and not a part of another.
    pub(super) fn of(terraform: &str) -> Option<Self> {
        KINDS.iter().find(|kind| kind.terraform == terraform).copied()
    }

    /// The property that an attribute is, if it has a name of its own.
    pub(super) fn property(self, attribute: &str) -> Option<&'static str> {
        self.names.iter().find(|(own, _)| *own == attribute).map(|(_, property)| *property)
    }

    /// Whether a block of this name occurs once.
    pub(super) fn has_once(self, block: &str) -> bool {
        self.names
            .iter()
            .any(|(own, _)| own.split_once('.').is_some_and(|(outer, _)| outer == block))
    }
}

const KINDS: &[Kind] = &[
    Kind {
        terraform: "aws_cloudwatch_event_bus",
        formation: "AWS::Events::EventBus",
        names: &[],
    },
    Kind {
        terraform: "aws_cloudwatch_event_rule",
        formation: "AWS::Events::Rule",
        names: &[],
    },
    Kind {
        terraform: "aws_cloudwatch_log_group",
        formation: "AWS::Logs::LogGroup",
        names: &[("name", "LogGroupName")],
    },
    Kind {
        terraform: "aws_cloudwatch_metric_alarm",
        formation: "AWS::CloudWatch::Alarm",
        names: &[("ok_actions", "OKActions")],
    },
    Kind {
        terraform: "aws_dynamodb_table",
        formation: "AWS::DynamoDB::Table",
        names: &[
            ("name", "TableName"),
            ("attribute", "AttributeDefinitions"),
            ("global_secondary_index", "GlobalSecondaryIndexes"),
            ("lifecycle.prevent_destroy", "Kept"),
            (
                "point_in_time_recovery.enabled",
                "PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled",
            ),
            ("ttl.attribute_name", "TimeToLiveSpecification.AttributeName"),
            ("ttl.enabled", "TimeToLiveSpecification.Enabled"),
        ],
    },
    Kind {
        terraform: "aws_ecs_cluster",
        formation: "AWS::ECS::Cluster",
        names: &[("name", "ClusterName")],
    },
    Kind {
        terraform: "aws_ecs_service",
        formation: "AWS::ECS::Service",
        names: &[
            ("name", "ServiceName"),
            (
                "deployment_circuit_breaker.enable",
                "DeploymentConfiguration.DeploymentCircuitBreaker.Enable",
            ),
            (
                "deployment_circuit_breaker.rollback",
                "DeploymentConfiguration.DeploymentCircuitBreaker.Rollback",
            ),
            ("network_configuration.subnets", "NetworkConfiguration.AwsvpcConfiguration.Subnets"),
            (
                "network_configuration.security_groups",
                "NetworkConfiguration.AwsvpcConfiguration.SecurityGroups",
            ),
            (
                "network_configuration.assign_public_ip",
                "NetworkConfiguration.AwsvpcConfiguration.AssignPublicIp",
            ),
            ("load_balancer", "LoadBalancers"),
        ],
    },
    Kind {
        terraform: "aws_ecs_task_definition",
        formation: "AWS::ECS::TaskDefinition",
        names: &[
            ("volume", "Volumes"),
            ("runtime_platform.cpu_architecture", "RuntimePlatform.CpuArchitecture"),
            ("runtime_platform.operating_system_family", "RuntimePlatform.OperatingSystemFamily"),
        ],
    },
    Kind {
        terraform: "aws_iam_policy",
        formation: "AWS::IAM::ManagedPolicy",
        names: &[("policy", "PolicyDocument")],
    },
    Kind {
        terraform: "aws_iam_role",
        formation: "AWS::IAM::Role",
        names: &[("assume_role_policy", "AssumeRolePolicyDocument")],
    },
    Kind {
        terraform: "aws_lambda_event_source_mapping",
        formation: "AWS::Lambda::EventSourceMapping",
        names: &[],
    },
    Kind {
        terraform: "aws_lambda_function",
        formation: "AWS::Lambda::Function",
        names: &[
            ("s3_bucket", "Code.S3Bucket"),
            ("s3_key", "Code.S3Key"),
            ("environment.variables", "Environment.Variables"),
        ],
    },
    Kind {
        terraform: "aws_lb",
        formation: "AWS::ElasticLoadBalancingV2::LoadBalancer",
        names: &[
            ("load_balancer_type", "Type"),
            ("internal", "Scheme"),
            ("drop_invalid_header_fields", "LoadBalancerAttributes"),
        ],
    },
    Kind {
        terraform: "aws_lb_listener",
        formation: "AWS::ElasticLoadBalancingV2::Listener",
        names: &[("default_action", "DefaultActions"), ("certificate_arn", "Certificates")],
    },
    Kind {
        terraform: "aws_lb_target_group",
        formation: "AWS::ElasticLoadBalancingV2::TargetGroup",
        names: &[
            ("deregistration_delay", "TargetGroupAttributes"),
            ("health_check.path", "HealthCheckPath"),
            ("health_check.interval", "HealthCheckIntervalSeconds"),
            ("health_check.healthy_threshold", "HealthyThresholdCount"),
        ],
    },
    Kind {
        terraform: "aws_security_group",
        formation: "AWS::EC2::SecurityGroup",
        names: &[
            ("description", "GroupDescription"),
            ("ingress", "SecurityGroupIngress"),
            ("egress", "SecurityGroupEgress"),
        ],
    },
    Kind {
        terraform: "aws_sqs_queue",
        formation: "AWS::SQS::Queue",
        names: &[
            ("name", "QueueName"),
            ("message_retention_seconds", "MessageRetentionPeriod"),
            ("visibility_timeout_seconds", "VisibilityTimeout"),
        ],
    },
];
