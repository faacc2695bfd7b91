"""An account of AWS on this machine: the emulator, and the stacks that are deployed to it.

Not for: what should be in it. That is `stacks.py`.
"""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import boto3
from botocore.exceptions import ClientError
from cfnlint.decode import cfn_yaml

ROOT = Path(__file__).resolve().parents[2]
# What `worldbus services` prints of each service.
SERVICES = {of["name"]: of for of in json.loads(os.environ["WORLDBUS_SERVICES"])["services"]}
# Each has a stack of its own, but for the event-bus.
OF_WORLD = [name for name in SERVICES if name != "event-bus"]
# In the order in which one stands on the other.
STACKS = ("state", "network", "database", "messaging", "services", *OF_WORLD, "observability")
SERVICES_OF_AWS = (
    "cloudformation,dynamodb,ec2,ecs,elasticloadbalancing,events,iam,logs,monitoring,"
    "rds,secretsmanager,servicediscovery,sns,sqs,sts"
)
# There is no such service in the emulator.
UNKNOWN = (
    "AWS::ApplicationAutoScaling::ScalableTarget",
    "AWS::ApplicationAutoScaling::ScalingPolicy",
)
# What CloudFormation takes with a request.
BODY_BYTES_MAX = 51_200
START_SECONDS_MAX = 60
STACK_SECONDS_MAX = 60


# Where `worldbus deploy aws templates` wrote the templates.
TEMPLATES = Path(os.environ["WORLDBUS_TEMPLATES"])


def source(stack):
    """The text of a template."""
    kind = "json" if stack == "messaging" else "yaml"
    return TEMPLATES / f"{stack}.{kind}"


def template(stack):
    """A template as data, with functions in their long form."""
    path = source(stack)
    if path.suffix == ".json":
        return json.loads(path.read_text())
    return json.loads(json.dumps(cfn_yaml.load(str(path))))


class Account:
    def __init__(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        environment = os.environ | {
            "GATEWAY_PORT": str(self.port),
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "127.0.0.1",
            "IOT_MTLS_ENABLED": "0",
            "SERVICES": SERVICES_OF_AWS,
        }
        command = [sys.executable, str(ROOT / "emulators" / "ministack.py")]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(command, env=environment, **quiet)
        self.session = boto3.Session("test", "test", region_name="us-east-1")
        self.clients = {}

    def __enter__(self):
        until = time.monotonic() + START_SECONDS_MAX
        while True:
            with socket.socket() as door:
                if door.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            assert self.process.poll() is None, "the emulator ended by itself"
            assert time.monotonic() < until, "the emulator does not answer"
            time.sleep(0.05)

    def __exit__(self, *failure):
        self.process.kill()
        self.process.wait()

    def client(self, service):
        if service not in self.clients:
            url = f"http://127.0.0.1:{self.port}"
            self.clients[service] = self.session.client(service, endpoint_url=url)
        return self.clients[service]

    def deploy(self, name, **parameters):
        """Creates or updates every stack of a system; what became of each."""
        order = list(STACKS)
        if self.listener(name) and parameters.get("Profile") != "production":
            # Services leave the balancer and the namespace before these go.
            order.sort(key=lambda stack: stack in ("services", "observability"))
        return {stack: self.deploy_stack(stack, name, parameters) for stack in order}

    def listener(self, name):
        """Where the balancer of a system listens; empty without one."""
        if self.status(f"{name}-services") is None:
            return ""
        return self.outputs(f"{name}-services").get("ListenerArn", "")

    def deploy_stack(self, stack, name, parameters):
        body = template(stack)
        declared, resources = body["Parameters"], body["Resources"]
        body["Resources"] = {
            key: value for key, value in resources.items() if value["Type"] not in UNKNOWN
        }
        given = {"SystemName": name, **parameters}
        if given.get("Profile") == "production":
            given["ListenerArn"] = self.listener(name)
        request = {
            "StackName": f"{name}-{stack}",
            "TemplateBody": json.dumps(body),
            "Capabilities": ["CAPABILITY_NAMED_IAM"],
            "Parameters": [
                {"ParameterKey": key, "ParameterValue": value}
                for key, value in given.items()
                if key in declared
            ],
        }
        formation = self.client("cloudformation")
        try:
            if self.status(request["StackName"]) is None:
                formation.create_stack(**request)
            else:
                formation.update_stack(**request)
        except ClientError as error:
            if "No updates are to be performed" in str(error):
                return "UNCHANGED"
            raise
        status = self.settled(request["StackName"])
        assert status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"), self.why(request["StackName"])
        return status

    def remove(self, name, stacks):
        for stack in stacks:
            self.client("cloudformation").delete_stack(StackName=f"{name}-{stack}")
            assert self.settled(f"{name}-{stack}") is None, self.why(f"{name}-{stack}")

    def status(self, stack):
        try:
            found = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        except ClientError:
            return None
        status = found[0]["StackStatus"]
        return None if status == "DELETE_COMPLETE" else status

    def settled(self, stack):
        until = time.monotonic() + STACK_SECONDS_MAX
        while (status := self.status(stack)) and status.endswith("IN_PROGRESS"):
            assert time.monotonic() < until, f"{stack} is in {status} still"
            time.sleep(0.05)
        return status

    def why(self, stack):
        events = self.client("cloudformation").describe_stack_events(StackName=stack)
        failed = [event for event in events["StackEvents"] if "FAILED" in event["ResourceStatus"]]
        reasons = [
            f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason')}"
            for event in failed
        ]
        return f"{stack} failed: {reasons}"

    def outputs(self, stack):
        found = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
