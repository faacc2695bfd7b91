"""Prints the database of an installation, whom it admits, and who may read its password."""

import json
import sys

import boto3

name = sys.argv[1]
rds, ec2, iam = (boto3.client(of) for of in ("rds", "ec2", "iam"))
(found,) = rds.describe_db_instances()["DBInstances"]


def groups(*names):
    by_name = [{"Name": "group-name", "Values": [f"{name}-{each}" for each in names]}]
    listed = ec2.describe_security_groups(Filters=by_name)["SecurityGroups"]
    return {group["GroupName"].removeprefix(f"{name}-"): group for group in listed}


def rules(permissions):
    return [
        [rule["FromPort"], rule["ToPort"], pair["GroupId"]]
        for rule in permissions
        for pair in rule["UserIdGroupPairs"]
    ]


group = groups("database", "services")
ids = {of["GroupId"]: each for each, of in group.items()}
private = [{"Name": "tag:Name", "Values": [f"{name}-private-a", f"{name}-private-b"]}]
private = {subnet["SubnetId"] for subnet in ec2.describe_subnets(Filters=private)["Subnets"]}
(subnets,) = rds.describe_db_subnet_groups()["DBSubnetGroups"]
policy = iam.get_role_policy(RoleName=f"{name}-execution", PolicyName="start-tasks")
reads = [
    statement["Resource"]
    for statement in policy["PolicyDocument"]["Statement"]
    if statement["Action"] == "secretsmanager:GetSecretValue"
]
secrets = boto3.client("secretsmanager")
arns = {each["Name"]: each["ARN"] for each in secrets.list_secrets()["SecretList"]}
password = secrets.get_secret_value(SecretId=f"{name}/database-password")["SecretString"]
print(
    json.dumps(
        {
            "name": found["DBInstanceIdentifier"],
            "class": found["DBInstanceClass"],
            "engine": [found["Engine"], found["EngineVersion"]],
            "storage": [found["StorageType"], found["AllocatedStorage"]],
            "encrypted": found["StorageEncrypted"],
            "public": found["PubliclyAccessible"],
            "protected": found["DeletionProtection"],
            "days": found["BackupRetentionPeriod"],
            "multi_az": found["MultiAZ"],
            "is_private": {each["SubnetIdentifier"] for each in subnets["Subnets"]} == private,
            "groups": [ids[each["VpcSecurityGroupId"]] for each in found["VpcSecurityGroups"]],
            "admits": [
                [first, last, ids[of]]
                for first, last, of in rules(group["database"]["IpPermissions"])
            ],
            "reached": [
                [first, last]
                for first, last, of in rules(group["services"]["IpPermissionsEgress"])
                if ids.get(of) == "database"
            ],
            "address": f"{found['Endpoint']['Address']}:{found['Endpoint']['Port']}",
            "password": password,
            "read_secrets": sorted(
                each for each, arn in arns.items() for read in reads if read == arn
            ),
        }
    )
)
