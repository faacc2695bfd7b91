//! The services of AWS that a deployment talks to, in one region, and what their refusals mean.

use serde_json::Value;

use crate::aws::advice;
use crate::aws::cloudformation::CloudFormation;
use crate::aws::region;
use crate::{Error, Kind};
use worldbus_aws::{CallError, Caller, Missing, Service};

/// Codes of services that do not accept who signs (D).
const CODES_OF_CREDENTIALS: [&str; 7] = [
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "MissingAuthenticationToken",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
];

/// The version of AWS's JSON protocol that these services take.
const JSON_VERSION: &str = "1.1";
const MONITORING: Service =
    Service { id: "CloudWatch", signing_name: "monitoring", host: "monitoring" };
const ECS: Service = Service { id: "ECS", signing_name: "ecs", host: "ecs" };
const REGISTRY: Service = Service { id: "ECR", signing_name: "ecr", host: "api.ecr" };

/// An account in a region, with the credentials that every AWS tool takes.
#[derive(Debug, Clone)]
pub struct Account {
    pub(crate) cloudformation: CloudFormation,
    pub(crate) monitoring: Caller,
    ecs: Caller,
    registry: Caller,
    region: String,
}

impl Account {
    /// The account whose credentials stand where AWS's tools look for them. Asks it nothing yet.
    pub async fn open(region: &str, endpoint: Option<&str>) -> Self {
        let mut sdk = worldbus_aws::load().await;
        if let Some(endpoint) = endpoint {
            sdk = sdk.into_builder().endpoint_url(endpoint).build();
        }
        let sdk = worldbus_aws::bounded(sdk, region);
        Self {
            cloudformation: CloudFormation::new(&sdk, region),
            monitoring: Caller::new(&sdk, MONITORING, region),
            ecs: Caller::new(&sdk, ECS, region),
            registry: Caller::new(&sdk, REGISTRY, region),
            region: region.to_owned(),
        }
    }

    /// A call of ECS.
    pub(crate) async fn ecs(&self, action: &str, input: &Value) -> Result<Value, CallError> {
        let target = format!("AmazonEC2ContainerServiceV20141113.{action}");
        self.ecs.json(JSON_VERSION, &target, input).await
    }

    /// A call of the container registry.
    pub(crate) async fn registry(&self, action: &str, input: &Value) -> Result<Value, CallError> {
        let target = format!("AmazonEC2ContainerRegistry_V20150921.{action}");
        self.registry.json(JSON_VERSION, &target, input).await
    }

    /// The error of a call; `what` is e.g. `describe stack x`.
    pub(crate) fn explain(&self, what: &str, error: &CallError) -> Error {
        match error {
            CallError::Silent(Missing::Credentials, words) => {
                Error::new(Kind::Credentials, format!("cannot {what}: {words}"))
            }
            CallError::Silent(_, words) => {
                let doubt = region::doubt(&self.region);
                Error::new(Kind::Unreachable, format!("cannot {what}: {words}{doubt}"))
            }
            CallError::Refused { code, message, .. } => {
                if CODES_OF_CREDENTIALS.contains(&code.as_str()) {
                    let words = format!(
                        "cannot {what}: AWS does not accept the credentials ({code}: {message}); \
                         sign in again, and see that {} is a region that the account uses",
                        self.region
                    );
                    return Error::new(Kind::Credentials, words);
                }
                let advice = advice::of(&format!("{code}: {message}"));
                let advice = advice.map(|advice| format!("; {advice}")).unwrap_or_default();
                Error::failed(format!("cannot {what}: {code}: {message}{advice}"))
            }
        }
    }
}
