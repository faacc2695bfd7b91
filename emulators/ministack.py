"""Starts ministack with faults mended: its SNS drops Binary attributes of PublishBatch, its IAM
asks for rights to batches of messages, which AWS knows by the right to one message alone, and its
CloudFormation lacks NAT gateways and their addresses, rules of security groups that stand by
themselves, alarms over several metrics, services of ECS whose count is a parameter, and what task
definitions have of secrets, checks, volumes and processors.

Where it listens stands in GATEWAY_PORT and BIND_HOST. With AUTH=true it judges requests by IAM.
"""

import re
import sys
import uuid

# This file must not be found as the package that it starts.
sys.path.pop(0)

from ministack import app  # noqa: E402
from ministack.core import iam_actions  # noqa: E402
from ministack.services import sns  # noqa: E402

parse = sns._parse_batch_entries


def parse_with_binary(params):
    entries = parse(params)
    for number, entry in enumerate(entries, start=1):
        for index in range(1, len(entry["message_attributes"]) + 1):
            path = f"PublishBatchRequestEntries.member.{number}.MessageAttributes.entry.{index}"
            value = sns._p(params, f"{path}.Value.BinaryValue")
            if value:
                name = sns._p(params, f"{path}.Name")
                entry["message_attributes"][name]["BinaryValue"] = value
                entry["message_attributes"][name].pop("StringValue", None)
    return entries


BATCHES = {
    "sns:PublishBatch",
    "sqs:ChangeMessageVisibilityBatch",
    "sqs:DeleteMessageBatch",
    "sqs:SendMessageBatch",
}
extract = iam_actions.extract_iam_action


def extract_of_one(*request):
    action = extract(*request)
    return action.removesuffix("Batch") if action in BATCHES else action


sns._parse_batch_entries = parse_with_binary
iam_actions.extract_iam_action = extract_of_one


def mend_cloudformation():
    from ministack.services import ec2, ecs
    from ministack.services.cloudformation import provisioners

    def made_again(create, delete):
        """A type of resource of which every change makes another."""

        def update(physical_id, old_properties, properties, stack):
            delete(physical_id, old_properties)
            return create(physical_id, properties, stack)

        return {"create": create, "update": update, "delete": delete}

    def tagged(answer, element, properties):
        """What an element of an answer names, with its tags."""
        body = answer[2].decode() if isinstance(answer[2], bytes) else answer[2]
        name = re.search(f"<{element}>(.*)</{element}>", body)[1]
        provisioners._ec2_apply_tags(name, properties)
        return name

    def create_address(logical_id, properties, stack):
        name = tagged(ec2._allocate_address({}), "allocationId", properties)
        address = ec2._addresses[name]["PublicIp"]
        return address, {"AllocationId": name, "PublicIp": address}

    def delete_address(address, properties):
        for name, known in list(ec2._addresses.items()):
            if known["PublicIp"] == address:
                ec2._release_address({"AllocationId": name})

    def create_nat_gateway(logical_id, properties, stack):
        name = tagged(ec2._create_nat_gateway(properties), "natGatewayId", properties)
        ec2._nat_gateways[name]["Tags"] = properties.get("Tags", [])
        return name, {"NatGatewayId": name}

    def delete_nat_gateway(name, properties):
        ec2._delete_nat_gateway({"NatGatewayId": name})

    def rule(direction):
        def create(logical_id, properties, stack):
            group = ec2._security_groups[properties["GroupId"]]
            new = provisioners._ec2_sg_permissions([properties])
            group[direction] = group.get(direction, []) + new
            name = f"sgr-{uuid.uuid4().hex[:17]}"
            return name, {"Id": name}

        def delete(name, properties):
            # The group may be gone before its rules.
            group = ec2._security_groups.get(properties["GroupId"], {})
            gone = provisioners._ec2_sg_permissions([properties])
            group[direction] = [kept for kept in group.get(direction, []) if kept not in gone]

        return made_again(create, delete)

    alarm_record = provisioners._cw_metric_alarm_record

    def alarm_record_over_several(name, properties):
        """Of an alarm over several metrics everything but what it is over is kept: it watches one
        that is not reported."""
        if not properties.get("Metrics"):
            return alarm_record(name, properties)
        one = {"Namespace": "Expression", "MetricName": name}
        return alarm_record(name, {**properties, **one, "Metrics": None})

    def counted(properties):
        # Parameters are text, whatever their type.
        return {**properties, "DesiredCount": int(properties.get("DesiredCount", 1))}

    create_task = provisioners._ecs_task_def_create

    def create_whole_task(logical_id, properties, stack):
        arn, attributes = create_task(logical_id, properties, stack)
        task = ecs._task_defs[arn.rsplit("/", 1)[1]]
        for container in task["containerDefinitions"]:
            for name in ("healthCheck", "linuxParameters", "secrets"):
                if name in container:
                    container[name] = provisioners._pascal_to_camel(container[name])
        task["volumes"] = provisioners._pascal_to_camel(task["volumes"])
        if "RuntimePlatform" in properties:
            platform = provisioners._pascal_to_camel(properties["RuntimePlatform"])
            task["runtimePlatform"] = platform
        return arn, attributes

    create_service = provisioners._ecs_service_create
    update_service = provisioners._ecs_service_update
    provisioners._cw_metric_alarm_record = alarm_record_over_several
    provisioners._ecs_task_def_create = create_whole_task
    types = provisioners._RESOURCE_HANDLERS
    types["AWS::EC2::EIP"] = made_again(create_address, delete_address)
    types["AWS::EC2::NatGateway"] = made_again(create_nat_gateway, delete_nat_gateway)
    types["AWS::EC2::SecurityGroupEgress"] = rule("IpPermissionsEgress")
    types["AWS::EC2::SecurityGroupIngress"] = rule("IpPermissions")
    types["AWS::ECS::TaskDefinition"]["create"] = create_whole_task
    types["AWS::ECS::Service"] |= {
        "create": lambda name, new, stack: create_service(name, counted(new), stack),
        "update": lambda name, old, new, stack: update_service(
            name, counted(old), counted(new), stack
        ),
    }


cloudformation = app.SERVICE_HANDLERS.get("cloudformation")
mended = False


async def cloudformation_mended(*request):
    # Late: what it stands on takes a second to load, and few need it.
    global mended
    if not mended:
        mended = True
        mend_cloudformation()
    return await cloudformation(*request)


if cloudformation:
    app.SERVICE_HANDLERS["cloudformation"] = cloudformation_mended
sys.exit(app.main())
