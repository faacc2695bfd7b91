"""Prints how ECS would start the first container of each service of a cluster: from the services
and task definitions as they are described, and the secrets that they name."""

import json
import sys

import boto3

ecs, secrets = boto3.client("ecs"), boto3.client("secretsmanager")
cluster = sys.argv[1]
arns = ecs.list_services(cluster=cluster)["serviceArns"]
started = {}
for service in ecs.describe_services(cluster=cluster, services=arns)["services"]:
    definition = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])
    container = definition["taskDefinition"]["containerDefinitions"][0]
    environment = {each["name"]: each["value"] for each in container["environment"]}
    for secret in container["secrets"]:
        value = secrets.get_secret_value(SecretId=secret["valueFrom"])["SecretString"]
        environment[secret["name"]] = value
    started[service["serviceName"]] = {
        "command": container["command"],
        "environment": environment,
        "mounts": [mount["containerPath"] for mount in container.get("mountPoints", [])],
        "desired": service["desiredCount"],
        "healthy": [
            service["deploymentConfiguration"]["minimumHealthyPercent"],
            service["deploymentConfiguration"]["maximumPercent"],
        ],
        "spread": {
            each["capacityProvider"]: each["weight"]
            for each in service["capacityProviderStrategy"]
        },
    }
print(json.dumps(started))
