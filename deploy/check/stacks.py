"""Deploys the stacks to an emulator, in both profiles, and finds every named resource by asking for
it; then changes them, and takes them down. What the emulator drops is looked for in the templates.

Run by `cargo xtask ci --only stacks`.
"""

import json
import re

from account import (
    BODY_BYTES_MAX,
    OF_WORLD,
    SERVICES,
    STACKS,
    UNKNOWN,
    Account,
    source,
    template,
)
from botocore.exceptions import ClientError

NAME = "gaming-system"
IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/team/worldbus:1.0"
CERTIFICATE = "arn:aws:acm:us-east-1:111122223333:certificate/6fdd22ba"
PORTS = {name: of["port"] for name, of in SERVICES.items()}
SLOTS = ["event-bus", "event-bus-2", "event-bus-3", "event-bus-4"]
SUBSCRIPTIONS = [*OF_WORLD, *SLOTS]
TOPICS = SERVICES["event-bus"]["topics"]
LOGS = [*PORTS, "stopped-tasks"]
# What each service gets of topics and queues.
GIVEN = {
    name: (of["topics"], [name] if name in OF_WORLD else SLOTS) for name, of in SERVICES.items()
}
ALARMS = {
    *(f"{service}-oldest-message" for service in SERVICES),
    *(f"{subscription}-dead-letters" for subscription in SUBSCRIPTIONS),
    *(f"{topic}-failed-notifications" for topic in TOPICS),
    "no-time-updated",
    "task-restarts",
}
OF_DATABASE = {"database-cpu", "database-storage"}
# A process that is asked to end has drained by then.
DRAIN_SECONDS_MAX = 5


def same(what, found, wanted):
    assert found == wanted, f"{what}: found {found!r}, wanted {wanted!r}"


def names(found, key, prefix=""):
    """Names of what was found; of those that begin with a prefix."""
    return {each[key] for each in found if each[key].startswith(prefix)}


def tags(found):
    return {tag.get("Key", tag.get("key")): tag.get("Value", tag.get("value")) for tag in found}


def camel(name):
    return "".join(part.capitalize() for part in name.split("-"))


def role(name, of):
    """Names of an account have the system's name before them if it is not the usual one."""
    return of if name == NAME else f"{name}-{of}"


def state(account, name, production):
    table = account.client("dynamodb").describe_table(TableName=f"{name}-state")["Table"]
    keys = [(key["AttributeName"], key["KeyType"]) for key in table["KeySchema"]]
    same("keys of the state table", keys, [("part", "HASH"), ("name", "RANGE")])
    same("billing of it", table["BillingModeSummary"]["BillingMode"], "PAY_PER_REQUEST")
    same("its protection", table["DeletionProtectionEnabled"], production)
    secret = account.client("secretsmanager").get_secret_value(SecretId=f"{name}/api-key")
    same("characters of the API key", len(secret["SecretString"]), 48)
    groups = account.client("logs").describe_log_groups()["logGroups"]
    same("log groups", names(groups, "logGroupName"), {f"/{name}/{log}" for log in LOGS})
    days = {group["retentionInDays"] for group in groups}
    same("days that logs are kept", days, {30 if production else 7})


def database(account, name):
    rds = account.client("rds")
    (found,) = rds.describe_db_instances()["DBInstances"]
    same("database", found["DBInstanceIdentifier"], f"{name}-database")
    for key, value in {
        "DBInstanceClass": "db.t4g.micro",
        "StorageType": "gp3",
        "StorageEncrypted": True,
        "PubliclyAccessible": False,
        "DeletionProtection": True,
        "BackupRetentionPeriod": 7,
    }.items():
        same(f"{key} of it", found[key], value)
    by_name = subnets(account, name)
    (group,) = rds.describe_db_subnet_groups()["DBSubnetGroups"]
    places = {subnet["SubnetIdentifier"] for subnet in group["Subnets"]}
    same("where it is", places, {by_name[f"private-{zone}"]["SubnetId"] for zone in "ab"})
    members = groups(account, name)
    (mine,) = found["VpcSecurityGroups"]
    same("its group", mine["VpcSecurityGroupId"], members["database"]["GroupId"])
    admitted = {(members["services"]["GroupId"], "tcp", 5432, 5432)}
    same("who reaches it", set(rules(members["database"]["IpPermissions"])), admitted)


def subnets(account, name):
    """Subnets by their names, which are tags."""
    mine = [{"Name": "tag:system", "Values": [name]}]
    found = account.client("ec2").describe_subnets(Filters=mine)["Subnets"]
    return {tags(subnet["Tags"])["Name"].removeprefix(f"{name}-"): subnet for subnet in found}


def groups(account, name):
    of = ("services", "balancer", "endpoints", "database")
    wanted = [f"{name}-{group}" for group in of]
    by_name = [{"Name": "group-name", "Values": wanted}]
    found = account.client("ec2").describe_security_groups(Filters=by_name)["SecurityGroups"]
    return {group["GroupName"].removeprefix(f"{name}-"): group for group in found}


def rules(permissions):
    """Who is admitted to which ports."""
    for permission in permissions:
        peers = [pair["GroupId"] for pair in permission["UserIdGroupPairs"]]
        peers += [range["CidrIp"] for range in permission["IpRanges"]]
        for peer in peers:
            yield peer, permission["IpProtocol"], permission["FromPort"], permission["ToPort"]


def network(account, name, production, database, clients=None):
    ec2 = account.client("ec2")
    found = subnets(account, name)
    same("subnets", set(found), {"public-a", "public-b", "private-a", "private-b"})
    for kind in ("public", "private"):
        zones = {found[f"{kind}-{zone}"]["AvailabilityZone"] for zone in "ab"}
        same(f"zones of {kind} subnets", len(zones), 2)
    gateways = ec2.describe_nat_gateways()["NatGateways"]
    gateways = [tags(nat["Tags"])["Name"] for nat in gateways if nat["State"] == "available"]
    wanted = [f"{name}-nat-a", f"{name}-nat-b"] if production else []
    same("NAT gateways", sorted(gateways), wanted)
    same("addresses of NAT gateways", len(ec2.describe_addresses()["Addresses"]), len(wanted))
    endpoints = names(ec2.describe_vpc_endpoints()["VpcEndpoints"], "ServiceName")
    region = "com.amazonaws.us-east-1"
    same("endpoints", endpoints, {f"{region}.dynamodb", f"{region}.s3"})
    members = groups(account, name)
    services, balancer = members["services"], members["balancer"]
    ports = (min(PORTS.values()), max(PORTS.values()))
    mine = (services["GroupId"], "tcp", *ports)
    admitted = {mine, (balancer["GroupId"], "tcp", *ports)}
    same("who reaches the services", set(rules(services["IpPermissions"])), admitted)
    reached = {mine, ("0.0.0.0/0", "tcp", 443, 443)}
    if database:
        reached.add((members["database"]["GroupId"], "tcp", 5432, 5432))
    same("what the services reach", set(rules(services["IpPermissionsEgress"])), reached)
    reached = {mine}
    same("what the balancer reaches", set(rules(balancer["IpPermissionsEgress"])), reached)
    admitted = {clients} if clients else set()
    same("who reaches the balancer", set(rules(balancer["IpPermissions"])), admitted)


def messaging(account, name):
    topics = names(account.client("sns").list_topics()["Topics"], "TopicArn")
    topics = {arn.rsplit(":", 1)[1] for arn in topics}
    wanted = {f"{name}-{topic}-events" for topic in TOPICS} | {f"{name}-alarms"}
    same("topics", topics, wanted)
    queues = account.client("sqs").list_queues(MaxResults=100)["QueueUrls"]
    queues = {url.rsplit("/", 1)[1] for url in queues}
    wanted = {f"{name}-{subscription}-events" for subscription in SUBSCRIPTIONS}
    wanted |= {f"{queue}-dead-letters" for queue in wanted}
    same("queues", queues, wanted | {f"{name}-ticks"})
    iam = account.client("iam")
    boundary = role(name, "GamingSystemDistributedMessaging")
    policies = iam.list_policies(Scope="Local")["Policies"]
    same("managed policies", names(policies, "PolicyName"), {boundary})
    wanted = {f"{name}-execution"}
    for service in PORTS:
        task = camel(service)
        wanted.add(role(name, f"{task[0].lower()}{task[1:]}TaskRole"))
    same("roles", names(iam.list_roles()["Roles"], "RoleName"), wanted)


def execution_role(account, name, database):
    """Rights as pairs of action and resource, each of something that is there."""
    iam, found = account.client("iam"), {}
    policy = iam.get_role_policy(RoleName=f"{name}-execution", PolicyName="start-tasks")
    for statement in policy["PolicyDocument"]["Statement"]:
        resources = statement["Resource"]
        found[statement["Sid"]] = [resources] if isinstance(resources, str) else resources
    secrets = account.client("secretsmanager")
    secret = secrets.describe_secret(SecretId=f"{name}/api-key")
    logs = [f"arn:aws:logs:us-east-1:000000000000:log-group:/{name}/{log}:*" for log in PORTS]
    wanted = {
        "ReadApiKey": [secret["ARN"]],
        "WriteLogs": logs,
        "PullImage": ["arn:aws:ecr:*:*:repository/team/worldbus"],
        "EnterRegistry": ["*"],
    }
    if database:
        secret = secrets.describe_secret(SecretId=f"{name}/database-password")
        wanted["ReadDatabasePassword"] = [secret["ARN"]]
    same("rights of the execution role", found, wanted)


def task(account, name, service, architecture, database):
    """A task definition: whatever it names is there."""
    ecs = account.client("ecs")
    found = ecs.describe_task_definition(taskDefinition=f"{name}-{service}")["taskDefinition"]
    same(f"size of {service}", (found["cpu"], found["memory"]), ("256", "512"))
    same(f"processor of {service}", found["runtimePlatform"]["cpuArchitecture"], architecture)
    iam = account.client("iam")
    for of in ("taskRoleArn", "executionRoleArn"):
        iam.get_role(RoleName=found[of].rsplit("/", 1)[1])
    (container,) = found["containerDefinitions"]
    same(f"command of {service}", container["command"], [service])
    same(f"check of {service}", container["healthCheck"]["command"], ["CMD", "worldbus", "health"])
    same(f"user of {service}", container["user"], "65532:65532")
    assert container["readonlyRootFilesystem"], f"{service} may write to its root"
    dropped = container["linuxParameters"]["capabilities"]["drop"]
    same(f"capabilities that {service} drops", dropped, ["ALL"])
    assert container["stopTimeout"] > DRAIN_SECONDS_MAX, f"{service} may be killed as it drains"
    port = PORTS[service]
    mapped = [mapping["containerPort"] for mapping in container["portMappings"]]
    same(f"ports of {service}", mapped, [port])
    group = container["logConfiguration"]["options"]["awslogs-group"]
    same(f"log of {service}", group, f"/{name}/{service}")
    uses = database and SERVICES[service]["database"]
    wanted = {"WORLDBUS_API_KEY", *(["WORLDBUS_DATABASE_PASSWORD"] if uses else [])}
    same(f"secrets of {service}", names(container["secrets"], "name"), wanted)
    for secret in container["secrets"]:
        account.client("secretsmanager").get_secret_value(SecretId=secret["valueFrom"])
    environment(account, name, service, container, uses)


def environment(account, name, service, container, uses_database):
    found = {pair["name"]: pair["value"] for pair in container["environment"]}
    wanted = {
        "WORLDBUS_LISTEN": f"0.0.0.0:{PORTS[service]}",
        "WORLDBUS_LOG_FORMAT": "json",
        "WORLDBUS_URL": f"sns-sqs://us-east-1?prefix={name}",
        "WORLDBUS_STATE_URL": f"dynamodb://us-east-1/{name}-state",
    }
    if service == "event-bus":
        wanted["WORLDBUS_SUBSCRIPTION_SLOTS"] = str(len(SLOTS))
    if service == "event-bus" or SERVICES[service]["database"]:
        wanted["WORLDBUS_DATA_DIR"] = "/data"
        (volume,) = container["mountPoints"]
        same(f"where the files of {service} are", volume["containerPath"], "/data")
    if uses_database:
        (at,) = account.client("rds").describe_db_instances()["DBInstances"]
        at = f"{at['Endpoint']['Address']}:{at['Endpoint']['Port']}"
        url = f"postgres://worldbus@{at}/worldbus?sslmode=require"
        wanted["WORLDBUS_DATABASE_URL"] = url
    topics, subscriptions = GIVEN[service]
    for topic in topics:
        arn = f"arn:aws:sns:us-east-1:000000000000:{name}-{topic}-events"
        account.client("sns").get_topic_attributes(TopicArn=arn)
        wanted[f"{topic.upper()}_EVENTS_TOPIC_ARN"] = arn
    sqs = account.client("sqs")
    for subscription in subscriptions:
        variable, queue = subscription.upper().replace("-", "_"), f"{name}-{subscription}-events"
        url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        letters = sqs.get_queue_url(QueueName=f"{queue}-dead-letters")["QueueUrl"]
        wanted |= {f"{variable}_QUEUE_URL": url, f"{variable}_DEAD_LETTER_QUEUE_URL": letters}
    same(f"environment of {service}", found, wanted)


def services(account, name, production, database, architecture="X86_64", weights=(4, 1)):
    ecs, cluster = account.client("ecs"), f"{name}-cluster"
    (found,) = ecs.describe_clusters(clusters=[cluster])["clusters"]
    same("capacity providers", found["capacityProviders"], ["FARGATE", "FARGATE_SPOT"])
    listed = ecs.describe_services(cluster=cluster, services=[*PORTS])["services"]
    same("services", names(listed, "serviceName"), set(PORTS))
    kind = "private" if production else "public"
    by_name = subnets(account, name)
    places = {by_name[f"{kind}-{zone}"]["SubnetId"] for zone in "ab"}
    for service in listed:
        of = service["serviceName"]
        # Without a database there is one at a time.
        alone = SERVICES[of]["database"] and not database
        count = 2 if production and of != "event-bus" and not alone else 1
        same(f"instances of {of}", service["desiredCount"], count)
        shares = service["capacityProviderStrategy"]
        shares = {share["capacityProvider"]: share["weight"] for share in shares}
        wanted = dict(zip(("FARGATE_SPOT", "FARGATE"), weights))
        same(f"Spot and on demand of {of}", shares, wanted)
        rolling = service["deploymentConfiguration"]
        percent = (rolling["minimumHealthyPercent"], rolling["maximumPercent"])
        same(f"replacement of {of}", percent, (0, 100) if alone else (100, 200))
        breaker = {"enable": True, "rollback": True}
        same(f"circuit breaker of {of}", rolling["deploymentCircuitBreaker"], breaker)
        place = service["networkConfiguration"]["awsvpcConfiguration"]
        same(f"subnets of {of}", set(place["subnets"]), places)
        public = "DISABLED" if production else "ENABLED"
        same(f"public address of {of}", place["assignPublicIp"], public)
        guards = [groups(account, name)["services"]["GroupId"]]
        same(f"security groups of {of}", place["securityGroups"], guards)
        same(f"system of {of}", tags(service["tags"])["system"], name)
        task(account, name, of, architecture, database)
    execution_role(account, name, database)


def traced(account, name):
    """A collector with each service, which goes on without it."""
    ecs = account.client("ecs")
    for service in PORTS:
        found = ecs.describe_task_definition(taskDefinition=f"{name}-{service}")["taskDefinition"]
        own, collector = found["containerDefinitions"]
        same(f"containers of {service}", (own["name"], collector["name"]), (service, "collector"))
        assert not collector["essential"], f"{service} ends with its collector"
        given = {pair["name"]: pair["value"] for pair in own["environment"]}
        given = {name: value for name, value in given.items() if name.startswith("OTEL_")}
        wanted = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318",
            "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
            "OTEL_TRACES_SAMPLER_ARG": "0.05",
        }
        same(f"traces of {service}", given, wanted)
        (config,) = collector["environment"]
        assert "endpoint: 127.0.0.1:4318" in config["value"], f"{config} listens elsewhere"


def group(service):
    """What the name of a target group ends in, which has 32 characters at the most."""
    return SERVICES[service]["api"][0][:7]


def balancer(account, name, internet=False):
    elb = account.client("elbv2")
    wanted = f"{name}-internet" if internet else f"{name}-balancer"
    (found,) = elb.describe_load_balancers()["LoadBalancers"]
    same("balancer", found["LoadBalancerName"], wanted)
    same("its scheme", found["Scheme"], "internet-facing" if internet else "internal")
    arn = found["LoadBalancerArn"]
    infix = "-i-" if internet else "-"
    targets = elb.describe_target_groups()["TargetGroups"]
    targets = {target["TargetGroupArn"]: target for target in targets}
    bus = PORTS["event-bus"]
    of = {group(of_world): PORTS[of_world] for of_world in OF_WORLD}
    of |= {"bus": bus, "grpc": bus} if internet else {"bus": bus}
    ports = {target["TargetGroupName"]: target["Port"] for target in targets.values()}
    same("target groups", ports, {f"{name}{infix}{to}": port for to, port in of.items()})
    for target in targets.values():
        if not target["TargetGroupName"].endswith("grpc"):
            same("check of the balancer", target["HealthCheckPath"], "/readyz")
    (listener,) = elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]
    protocol = ("HTTPS", 443) if internet else ("HTTP", 80)
    same("listener", (listener["Protocol"], listener["Port"]), protocol)
    found = {}
    for rule in elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]:
        paths = [path for condition in rule["Conditions"] for path in condition["Values"]]
        (action,) = rule["Actions"]
        to = targets[action["TargetGroupArn"]]["TargetGroupName"]
        for path in paths or ["the rest"]:
            found[path] = to.removeprefix(f"{name}{infix}")
    wanted = {}
    for service in OF_WORLD:
        for api in SERVICES[service]["api"]:
            wanted |= {f"/api/{api}": group(service), f"/api/{api}/*": group(service)}
    wanted["the rest"] = "bus"
    same("routes", found, wanted | ({"/worldbus.bus.v1.*": "grpc"} if internet else {}))


def discovery(account, name):
    map = account.client("servicediscovery")
    (namespace,) = map.list_namespaces()["Namespaces"]
    same("namespace", namespace["Name"], f"{name}.internal")
    same("names in it", names(map.list_services()["Services"], "Name"), set(PORTS))


def observability(account, name, production, database):
    watch = account.client("cloudwatch")
    topic = f"arn:aws:sns:us-east-1:000000000000:{name}-alarms"
    account.client("sns").get_topic_attributes(TopicArn=topic)
    alarms = watch.describe_alarms()["MetricAlarms"]
    wanted = ALARMS | (OF_DATABASE if database else set())
    same("alarms", names(alarms, "AlarmName"), {f"{name}-{alarm}" for alarm in wanted})
    dimensions = []
    for alarm in alarms:
        same(f"who {alarm['AlarmName']} notifies", alarm["AlarmActions"], [topic])
        dimensions += [(pair["Name"], pair["Value"]) for pair in alarm["Dimensions"]]
    board = watch.get_dashboard(DashboardName=name)["DashboardBody"]
    widgets = json.loads(board)["widgets"]
    shown = [widget["properties"] for widget in widgets]
    for metric in (metric for properties in shown for metric in properties.get("metrics", [])):
        pairs = [part for part in metric[2:] if isinstance(part, str)]
        dimensions += zip(pairs[::2], pairs[1::2])
    (listed,) = (properties["alarms"] for properties in shown if "alarms" in properties)
    listed = {alarm.rsplit(":", 1)[1] for alarm in listed}
    same("alarms on the dashboard", listed, names(alarms, "AlarmName"))
    same("balancer on the dashboard", "ApplicationELB" in board, production)
    same("database on the dashboard", "AWS/RDS" in board, database)
    for dimension, value in set(dimensions):
        is_there(account, name, dimension, value)
    ticks_alone_are_counted(account, name)
    (rule,) = account.client("events").list_rules()["Rules"]
    same("rule", rule["Name"], f"{name}-stopped-tasks")
    (target,) = account.client("events").list_targets_by_rule(Rule=rule["Name"])["Targets"]
    log = f"arn:aws:logs:us-east-1:000000000000:log-group:/{name}/stopped-tasks"
    same("where it leads", target["Arn"], log)
    (policy,) = account.client("logs").describe_resource_policies()["resourcePolicies"]
    assert log in policy["policyDocument"], f"{policy} does not admit it"


def ticks_alone_are_counted(account, name):
    """What the queue of an alarm gets of a topic, whatever else subscribes to it."""
    sns, sqs = account.client("sns"), account.client("sqs")
    topic = f"arn:aws:sns:us-east-1:000000000000:{name}-time-events"
    ticks = sqs.get_queue_url(QueueName=f"{name}-ticks")["QueueUrl"]
    for event_types in (["time.clock_changed"], ["time.changed", "time.updated"]):
        types = {"DataType": "String.Array", "StringValue": json.dumps(event_types)}
        attributes = {"event_types": types}
        sns.publish(TopicArn=topic, Message=event_types[-1], MessageAttributes=attributes)
    got = sqs.receive_message(QueueUrl=ticks, MaxNumberOfMessages=10).get("Messages", [])
    same("what counts as a tick", [message["Body"] for message in got], ["time.updated"])
    sqs.purge_queue(QueueUrl=ticks)


def is_there(account, name, dimension, value):
    """What a metric is of."""
    if dimension == "QueueName":
        account.client("sqs").get_queue_url(QueueName=value)
    elif dimension == "TopicName":
        arn = f"arn:aws:sns:us-east-1:000000000000:{value}"
        account.client("sns").get_topic_attributes(TopicArn=arn)
    elif dimension == "RuleName":
        account.client("events").describe_rule(Name=value)
    elif dimension == "DBInstanceIdentifier":
        account.client("rds").describe_db_instances(DBInstanceIdentifier=value)
    elif dimension == "ClusterName":
        same("cluster of a metric", value, f"{name}-cluster")
    else:
        assert dimension == "ServiceName" and value in PORTS, f"{dimension} {value} is nowhere"


def everything(account, name, production, with_database=False, internet=False, **tasks):
    clients = ("0.0.0.0/0", "tcp", 443, 443) if internet else ("10.20.0.0/16", "tcp", 80, 80)
    state(account, name, production)
    network(account, name, production, with_database, clients if production else None)
    if with_database:
        database(account, name)
    else:
        same("databases", account.client("rds").describe_db_instances()["DBInstances"], [])
    messaging(account, name)
    services(account, name, production, with_database, **tasks)
    if production:
        balancer(account, name, internet)
        discovery(account, name)
    else:
        same("balancers", account.client("elbv2").describe_load_balancers()["LoadBalancers"], [])
        same("names", account.client("servicediscovery").list_services()["Services"], [])
    observability(account, name, production, with_database)


def unchanged_but(found, *stacks):
    # An update of a template that refers to a secret is taken whether it changes anything or not.
    of = {stack: status for stack, status in found.items() if stack != "database"}
    changed = {stack for stack, status in of.items() if status != "UNCHANGED"}
    same("stacks that changed", changed, set(stacks))


def only_state_is_left(account, name):
    account.remove(name, [stack for stack in reversed(STACKS) if stack != "state"])
    state(account, name, False)
    ec2 = account.client("ec2")
    left = {
        "topics": account.client("sns").list_topics()["Topics"],
        "queues": account.client("sqs").list_queues().get("QueueUrls", []),
        "roles": account.client("iam").list_roles()["Roles"],
        "policies": account.client("iam").list_policies(Scope="Local")["Policies"],
        "alarms": account.client("cloudwatch").describe_alarms()["MetricAlarms"],
        "dashboards": account.client("cloudwatch").list_dashboards()["DashboardEntries"],
        "rules": account.client("events").list_rules()["Rules"],
        "balancers": account.client("elbv2").describe_load_balancers()["LoadBalancers"],
        "target groups": account.client("elbv2").describe_target_groups()["TargetGroups"],
        "namespaces": account.client("servicediscovery").list_namespaces()["Namespaces"],
        "clusters": account.client("ecs").list_clusters()["clusterArns"],
        "addresses": ec2.describe_addresses()["Addresses"],
        "databases": account.client("rds").describe_db_instances()["DBInstances"],
        "subnets": list(subnets(account, name)),
        "security groups": list(groups(account, name)),
    }
    same("what is left", {what: found for what, found in left.items() if found}, {})
    account.remove(name, ["state"])
    same("tables", account.client("dynamodb").list_tables()["TableNames"], [])
    same("log groups", account.client("logs").describe_log_groups()["logGroups"], [])


def refused(account, reason, stack="services", **parameters):
    try:
        account.deploy_stack(stack, NAME, {"Image": IMAGE, **parameters})
    except ClientError as error:
        assert reason in str(error), f"{reason!r} is not in {error}"
        return
    raise AssertionError(f"{parameters} were taken")


def minimal_then_production():
    with Account() as account:
        account.deploy(NAME, Image=IMAGE)
        everything(account, NAME, production=False)
        unchanged_but(account.deploy(NAME, Image=IMAGE))
        arm = {"Image": IMAGE, "Architecture": "ARM64"}
        shares = {f"{camel(service)}SpotPercent": "0" for service in PORTS}
        unchanged_but(account.deploy(NAME, **arm, **shares), "services", *OF_WORLD)
        share = {**arm, **shares, f"{camel(OF_WORLD[0])}SpotPercent": "20"}
        unchanged_but(account.deploy(NAME, **share), OF_WORLD[0])
        account.deploy(NAME, **arm, **shares)
        everything(account, NAME, production=False, architecture="ARM64", weights=(0, 1))
        refused(account, "the API key would cross the internet", InternetFacing="true")
        refused(account, "only Profile=production has", CertificateArn=CERTIFICATE)
        refused(account, "EventBusCount", EventBusCount="3")
        refused(account, "needs ListenerArn", stack=OF_WORLD[0], Profile="production")
        refused(account, "needs Database=postgres", stack="world-state", WorldStateCount="2")
        grown = account.deploy(NAME, Image=IMAGE, Profile="production", Database="none")
        changed = [stack for stack in STACKS if stack not in ("database", "messaging")]
        unchanged_but(grown, *changed)
        everything(account, NAME, production=True)
        account.deploy(NAME, Image=IMAGE)
        everything(account, NAME, production=False)
        only_state_is_left(account, NAME)


def production_under_another_name():
    name = "other-studio-staging"
    opened = {"Image": IMAGE, "Profile": "production", "CertificateArn": CERTIFICATE}
    with Account() as account:
        account.deploy(name, **opened)
        account.deploy(name, **opened, InternetFacing="true")
        everything(account, name, production=True, with_database=True, internet=True)
        account.deploy(name, **opened, InternetFacing="true", CollectorImage="collector:1")
        traced(account, name)
        stopped = {f"{camel(service)}Count": "0" for service in SERVICES}
        kept = {"Image": IMAGE, "Database": "postgres"}
        account.deploy(name, **kept, **(stopped | {"TimeManagerCount": "1"}))
        listed = account.client("ecs").list_services(cluster=f"{name}-cluster")["serviceArns"]
        same("services", [arn.rsplit("/", 1)[1] for arn in listed], ["time-manager"])
        only_state_is_left(account, name)


def what_the_emulator_drops():
    stripped = {}
    for stack in STACKS:
        size = len(source(stack).read_bytes())
        assert size <= BODY_BYTES_MAX, f"{stack} has {size} bytes, {BODY_BYTES_MAX} can be sent"
        for key, resource in template(stack)["Resources"].items():
            if resource["Type"] in UNKNOWN:
                stripped[stack, key] = resource["Properties"]
    wanted = {"EventBusScaling", "EventBusCpuScaling", "EventBusBacklogScaling"}
    same("what was not deployed", set(stripped), {("services", key) for key in wanted})
    same("instances at most", stripped["services", "EventBusScaling"]["MaxCapacity"], 2)
    backlog = json.dumps(stripped["services", "EventBusBacklogScaling"])
    followed = re.findall(r"\$\{SystemName\}-(\w+)QueueName", backlog)
    same("queues that scaling looks at", followed, [camel(slot) for slot in SLOTS])
    table = template("state")["Resources"]["StateTable"]["Properties"]
    recovery = table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]
    assert recovery, "the state table has no point-in-time recovery"
    instance = template("database")["Resources"]["PostgresInstance"]
    same("what a database leaves", instance["DeletionPolicy"], "Snapshot")
    grows = instance["Properties"]["MaxAllocatedStorage"]
    assert grows > int(instance["Properties"]["AllocatedStorage"]), "the database does not grow"
    password = "{{resolve:secretsmanager:${DatabasePassword}}}"
    same("its password", instance["Properties"]["MasterUserPassword"], {"Fn::Sub": password})
    key = template("state")["Resources"]["ApiKey"]["Properties"]["GenerateSecretString"]
    assert key["ExcludePunctuation"], "the API key has punctuation"
    oldest = template("observability")["Resources"]["EventBusOldestMessage"]["Properties"]
    followed = re.findall(r"\$\{SystemName\}-(\w+)QueueName", json.dumps(oldest))
    same("queues that an alarm looks at", followed, [camel(slot) for slot in SLOTS])
    boundary = "GamingSystemDistributedMessaging"
    for stack in ("services", *OF_WORLD):
        for key, resource in template(stack)["Resources"].items():
            if resource["Type"] == "AWS::ECS::Service":
                registry = resource["Properties"]["ServiceRegistries"]["Fn::If"]
                wanted = {"Fn::GetAtt": [key.replace("Service", "Discovery"), "Arn"]}
                same(f"name of {key}", registry[:2], ["Production", [{"RegistryArn": wanted}]])
            if stack in OF_WORLD and resource["Type"] == "AWS::IAM::Role":
                edge = {"Fn::ImportValue": {"Fn::Sub": f"${{SystemName}}-{boundary}Arn"}}
                found = resource["Properties"]["PermissionsBoundary"]
                same(f"boundary of {key}", found, edge)
    for key, resource in template("messaging")["Resources"].items():
        if resource["Type"] == "AWS::SNS::Topic":
            assert resource["Properties"]["KmsMasterKeyId"], f"{key} is not encrypted"
        if resource["Type"] == "AWS::IAM::Role":
            edge = resource["Properties"]["PermissionsBoundary"]
            same(f"boundary of {key}", edge, {"Ref": boundary})
    nothing_that_changes_is_imported()


def nothing_that_changes_is_imported():
    """CloudFormation keeps what is imported as it is; a balancer that opens is another one."""
    exports = {}
    for stack in STACKS:
        for key, output in template(stack).get("Outputs", {}).items():
            if "Export" in output:
                exports[output["Export"]["Name"]["Fn::Sub"]] = (stack, key, output.get("Condition"))
    imported = set()
    for stack in STACKS:
        text = json.dumps(template(stack))
        imported |= set(re.findall(r'"Fn::ImportValue": \{"Fn::Sub": "([^"]+)"', text))
    same("imports that none exports", imported - set(exports), set())
    conditional = {name for name in imported if exports[name][2]}
    wanted = {"NamespaceId", "DatabaseName", "DatabaseAddress", "DatabasePasswordArn"}
    wanted = {f"${{SystemName}}-{name}" for name in wanted}
    same("imports that come and go", conditional, wanted)
    changing = {"Listener", "Balancer", *(f"{camel(name)}Task" for name in SERVICES)}
    for name in imported:
        stack, key, _ = exports[name]
        value = json.dumps(template(stack)["Outputs"][key]["Value"])
        assert not any(f'"{of}"' in value for of in changing), f"{name} is imported and changes"


for check in (what_the_emulator_drops, minimal_then_production, production_under_another_name):
    check()
    print(f"ok: {check.__name__.replace('_', ' ')}")
