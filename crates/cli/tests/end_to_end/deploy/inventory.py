"""Prints all that an account has of what a deployment makes, by describing it: kind and name."""

import json

import boto3

client = boto3.client
ecs, ec2, iam, sns, sqs = (client(name) for name in ("ecs", "ec2", "iam", "sns", "sqs"))
elb, watch, logs, find, rds = (
    client(name) for name in ("elbv2", "cloudwatch", "logs", "servicediscovery", "rds")
)


def last(arns):
    return [arn.rsplit("/", 1)[-1] for arn in arns]


def names(resources, kind):
    return [each[kind] for each in resources]


def named(resources, kind):
    """Names from tags; those of the network that an account has from the beginning have none."""
    found = []
    for resource in resources:
        tags = {tag["Key"]: tag["Value"] for tag in resource.get("Tags", [])}
        found.append(tags.get("Name", resource[kind]))
    return found


clusters = last(ecs.list_clusters()["clusterArns"])
there = {
    "stack": [
        stack["StackName"]
        for stack in client("cloudformation").describe_stacks()["Stacks"]
        if stack["StackStatus"] != "DELETE_COMPLETE"
    ],
    "cluster": clusters,
    "service": [
        name for each in clusters for name in last(ecs.list_services(cluster=each)["serviceArns"])
    ],
    "task definition": [
        name.rsplit(":", 1)[0] for name in last(ecs.list_task_definitions()["taskDefinitionArns"])
    ],
    "topic": [topic["TopicArn"].rsplit(":", 1)[-1] for topic in sns.list_topics()["Topics"]],
    "subscription": [
        f"{each['TopicArn'].rsplit(':', 1)[-1]} to {each['Endpoint'].rsplit(':', 1)[-1]}"
        for each in sns.list_subscriptions()["Subscriptions"]
    ],
    "queue": last(sqs.list_queues().get("QueueUrls", [])),
    "role": [role["RoleName"] for role in iam.list_roles()["Roles"]],
    "policy": [policy["PolicyName"] for policy in iam.list_policies(Scope="Local")["Policies"]],
    "log group": [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]],
    "log policy": [
        policy["policyName"] for policy in logs.describe_resource_policies()["resourcePolicies"]
    ],
    "database": names(rds.describe_db_instances()["DBInstances"], "DBInstanceIdentifier"),
    "database subnets": names(rds.describe_db_subnet_groups()["DBSubnetGroups"], "DBSubnetGroupName"),
    "snapshot": names(rds.describe_db_snapshots()["DBSnapshots"], "DBInstanceIdentifier"),
    "table": client("dynamodb").list_tables()["TableNames"],
    "secret": [secret["Name"] for secret in client("secretsmanager").list_secrets()["SecretList"]],
    "network": named(ec2.describe_vpcs()["Vpcs"], "VpcId"),
    "subnet": named(ec2.describe_subnets()["Subnets"], "SubnetId"),
    "security group": [
        f"{group['GroupName']}" for group in ec2.describe_security_groups()["SecurityGroups"]
    ],
    "internet gateway": named(
        ec2.describe_internet_gateways()["InternetGateways"], "InternetGatewayId"
    ),
    "nat gateway": named(
        [
            gateway
            for gateway in ec2.describe_nat_gateways()["NatGateways"]
            if gateway["State"] != "deleted"
        ],
        "NatGatewayId",
    ),
    "address": [each["PublicIp"] for each in ec2.describe_addresses()["Addresses"]],
    "endpoint": [
        each["ServiceName"]
        for each in ec2.describe_vpc_endpoints()["VpcEndpoints"]
        if each["State"] != "deleted"
    ],
    "balancer": [each["LoadBalancerName"] for each in elb.describe_load_balancers()["LoadBalancers"]],
    "target group": [each["TargetGroupName"] for each in elb.describe_target_groups()["TargetGroups"]],
    "namespace": [each["Name"] for each in find.list_namespaces()["Namespaces"]],
    "discovery": [each["Name"] for each in find.list_services()["Services"]],
    "alarm": [alarm["AlarmName"] for alarm in watch.describe_alarms()["MetricAlarms"]],
    "dashboard": [each["DashboardName"] for each in watch.list_dashboards()["DashboardEntries"]],
    "rule": [rule["Name"] for rule in client("events").list_rules()["Rules"]],
}
print(json.dumps(sorted(f"{kind} {name}" for kind, names in there.items() for name in names)))
