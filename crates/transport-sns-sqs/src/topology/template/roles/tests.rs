//! Tests of roles: their names, what they allow, how much fits.

use super::*;
use worldbus_bus::{SubscriptionName, Topic};

fn service(name: &str) -> Service {
    let table =
        "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${SystemName}";
    Service {
        name: name.to_owned(),
        publishes: vec![Topic::new("weather").unwrap()],
        consumes: vec![SubscriptionName::new(name).unwrap()],
        counts: Vec::new(),
        more: vec![Right::new("State", &["dynamodb:GetItem"], vec![table.to_owned()])],
    }
}

fn resources(services: &[Service]) -> Result<serde_json::Map<String, Value>, Error> {
    let mut stack = Stack::default();
    add(&mut stack, services)?;
    Ok(stack.resources)
}

#[test]
fn role_is_bounded_trusts_tasks_of_the_account_and_has_the_rights_inline() {
    let resources = resources(&[service("weather-manager")]).unwrap();
    let role = &resources["WeatherManagerTaskRole"]["Properties"];
    let name = json!({ "Fn::If": [
        "HasDefaultName",
        "weatherManagerTaskRole",
        { "Fn::Sub": "${SystemName}-weatherManagerTaskRole" },
    ] });
    assert_eq!(role["RoleName"], name);
    assert_eq!(role["PermissionsBoundary"], json!({ "Ref": "GamingSystemDistributedMessaging" }));
    let trust = &role["AssumeRolePolicyDocument"]["Statement"][0];
    assert_eq!(trust["Principal"]["Service"], "ecs-tasks.amazonaws.com");
    let account = &trust["Condition"]["StringEquals"]["aws:SourceAccount"];
    assert_eq!(account, &json!({ "Ref": "AWS::AccountId" }));
    let statements = role["Policies"][0]["PolicyDocument"]["Statement"].as_array().unwrap();
    let publish = statements.iter().find(|statement| statement["Sid"] == "Publish").unwrap();
    assert_eq!(publish["Action"], json!(["sns:Publish"]));
    assert_eq!(publish["Resource"], json!([{ "Ref": "WeatherTopic" }]));
    let letters = json!([{ "Fn::GetAtt": ["WeatherManagerDeadLetters", "Arn"] }]);
    assert!(statements.iter().any(|statement| statement["Resource"] == letters));
}

#[test]
fn what_iam_does_not_take_is_refused_with_what_to_do() {
    let long = "n".repeat(57);
    let error = resources(&[Service { name: long, ..service("npc") }]).unwrap_err();
    assert!(error.to_string().contains("64; shorten"), "{error}");
    let many: Vec<Service> = (0..40).map(|number| service(&format!("npc-{number}"))).collect();
    let error = resources(&many).unwrap_err();
    assert!(error.to_string().contains("6144"), "{error}");
    assert!(resources(&many[..10]).is_ok());
}
