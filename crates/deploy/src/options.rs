//! What is to be deployed: where, under which name, with which parameters.
//!
//! Not for: the command line; who calls this has one.

use std::collections::{BTreeMap, BTreeSet};

use crate::Error;
use crate::aws::region;
use crate::template::built_in::{self, Resource, Stack, Template};
use crate::template::evaluate::Parameters;
use crate::template::expand::{Composition, cases};

/// A name that everything else begins with; names of balancers have 32 characters.
const SYSTEM_NAME_CHARACTERS_MAX: usize = 22;
/// The name that each template knows.
const SYSTEM_NAME: &str = "SystemName";
/// Whether nothing runs in the network; what is deployed runs there.
const IDLE: &str = "Idle";
/// The service that has no default: what runs.
const IMAGE: &str = "Image";
/// The service that the templates name themselves.
pub(crate) const EVENT_BUS: &str = "event-bus";
/// More instances add availability, not capacity, and an event-bus has four slots, two of which a
/// rolling replacement needs.
const COUNT_MAX: u32 = 2;

/// What was asked for.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The region of AWS.
    pub region: String,
    /// What all names begin with.
    pub system_name: String,
    /// Parameters that were given; the others keep what they are, or have their defaults.
    pub parameters: Parameters,
    /// The services to run, `NAME` or `NAME=COUNT`; empty: as it is.
    pub services: Vec<String>,
    /// Resource types to leave out, for emulators that lack them.
    pub without: BTreeSet<String>,
}

/// What is to be there.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// The region of AWS.
    pub region: String,
    /// What all names begin with.
    pub system_name: String,
    /// The services and topics that the templates were written out for.
    pub composition: Composition,
    /// A template a stack.
    pub templates: BTreeMap<Stack, Template>,
    /// Resources that were left out: stack, logical id, type.
    pub stripped: Vec<(Stack, String, String)>,
    given: Parameters,
    /// The parameters that say how many run, by service.
    counts: Vec<(String, String)>,
    /// Of the services that were named without a count: that parameter.
    running: BTreeSet<String>,
}

impl Deployment {
    /// Checks what was asked for. Asks nothing of AWS.
    ///
    /// # Errors
    /// [`crate::Kind::WrongUse`], in words.
    pub fn new(options: Options, composition: Composition) -> Result<Self, Error> {
        region::check(&options.region)?;
        check_system_name(&options.system_name)?;
        let template = |stack: Stack| {
            let template = Template::of(&stack, &composition, &options.without)?;
            Ok((stack, template))
        };
        let templates: Result<_, Error> =
            Stack::all(&composition).into_iter().map(template).collect();
        let mut this = Self {
            region: options.region,
            system_name: options.system_name,
            templates: templates?,
            stripped: built_in::stripped(&composition, &options.without)?,
            given: options.parameters,
            counts: counts(&composition),
            running: BTreeSet::new(),
            composition,
        };
        this.given.insert(SYSTEM_NAME.to_owned(), this.system_name.clone());
        this.given.insert(IDLE.to_owned(), "false".to_owned());
        this.choose(&options.services)?;
        this.check_given()?;
        Ok(this)
    }

    /// Its stacks, in their order.
    pub(crate) fn stacks(&self) -> impl Iterator<Item = &Stack> {
        self.templates.keys()
    }

    /// The name of a stack.
    pub fn name(&self, stack: &Stack) -> String {
        stack.name(&self.system_name)
    }

    pub(crate) fn template(&self, stack: &Stack) -> &Template {
        // There is one for each of its stacks.
        &self.templates[stack]
    }

    /// What a stack's parameters shall be: given, else what the stack has, else what another stack
    /// has, else the default. What the stack of a service has in common with the services stack is
    /// as there.
    pub fn parameters(
        &self,
        stack: &Stack,
        now: &dyn Fn(&Stack) -> Option<Parameters>,
    ) -> Parameters {
        let shared = match stack {
            Stack::Service(_) => self.parameters(&Stack::Services, now),
            _ => Parameters::new(),
        };
        let has = now(stack);
        let others: Vec<_> = self.stacks().filter_map(now).collect();
        let template = self.template(stack);
        let mut shall = Parameters::new();
        for name in template.parameters() {
            let kept = shared.get(name).or_else(|| has.as_ref()?.get(name));
            let elsewhere = || others.iter().find_map(|other| other.get(name));
            let value = match self.given.get(name) {
                Some(given) => Some(given.clone()),
                None => kept.or_else(elsewhere).cloned().or_else(|| template.default(name)),
            };
            if let Some(value) = value {
                shall.insert(name.to_owned(), value);
            }
        }
        self.set_running(template, &mut shall);
        shall
    }

    /// Every resource, for the parameters that the stacks shall have.
    pub fn resources(&self, now: &dyn Fn(&Stack) -> Option<Parameters>) -> Vec<Resource> {
        let of = |(stack, template): (&Stack, &Template)| {
            template.resources(&self.parameters(stack, now), &self.region)
        };
        self.templates.iter().flat_map(of).collect()
    }

    /// A parameter of a stack that has no value: none was given and there is no default.
    pub(crate) fn missing(&self, stack: &Stack, shall: &Parameters) -> Option<String> {
        let template = self.template(stack);
        template.parameters().find(|name| !shall.contains_key(*name)).map(str::to_owned)
    }

    /// A service that was named runs: as many as before, or the default if it did not.
    fn set_running(&self, template: &Template, shall: &mut Parameters) {
        for name in &self.running {
            let is_off = shall.get(name).is_some_and(|count| count == "0");
            if let (true, Some(default)) = (is_off, template.default(name)) {
                shall.insert(name.clone(), default);
            }
        }
    }

    fn choose(&mut self, services: &[String]) -> Result<(), Error> {
        if services.is_empty() {
            return Ok(());
        }
        let mut off: BTreeSet<_> =
            self.counts.iter().map(|(_, parameter)| parameter.clone()).collect();
        for text in services {
            let (name, count) = text.split_once('=').map_or((&**text, None), |(n, c)| (n, Some(c)));
            let known = self.counts.iter().find(|(service, _)| service == name);
            let Some((_, parameter)) = known else {
                let names: Vec<_> = self.counts.iter().map(|(name, _)| name.as_str()).collect();
                let names = names.join(", ");
                return Err(Error::wrong_use(format!(
                    "--services {text:?}: there is no such service; there are {names}"
                )));
            };
            off.remove(parameter);
            match count.map(str::parse::<u32>) {
                None => drop(self.running.insert(parameter.clone())),
                Some(Ok(count)) if count <= COUNT_MAX => {
                    self.given.insert(parameter.clone(), count.to_string());
                }
                Some(_) => {
                    return Err(Error::wrong_use(format!(
                        "--services {text:?}: expected a count up to {COUNT_MAX}; all instances of \
                         a service publish the same, more of them add no capacity"
                    )));
                }
            }
        }
        self.given.extend(off.into_iter().map(|name| (name, "0".to_owned())));
        Ok(())
    }

    fn check_given(&self) -> Result<(), Error> {
        let known: BTreeSet<&str> =
            self.templates.values().flat_map(Template::parameters).collect();
        for name in self.given.keys() {
            if !known.contains(name.as_str()) {
                let known: Vec<_> = known.into_iter().collect();
                return Err(Error::wrong_use(format!(
                    "no template has a parameter {name}; there are {}",
                    known.join(", ")
                )));
            }
        }
        Ok(())
    }
}

/// The parameters that set how many of each service run; the event-bus last.
fn counts(composition: &Composition) -> Vec<(String, String)> {
    let names = composition.services.iter().map(|service| service.name.as_str());
    let count = |name: &str| (name.to_owned(), format!("{}Count", cases(name)[1]));
    names.chain([EVENT_BUS]).map(count).collect()
}

/// The error of a parameter without a value.
pub(crate) fn ask_for(parameter: &str) -> Error {
    if parameter == IMAGE {
        return Error::wrong_use(
            "no image: name what to run with --image REGISTRY/NAME:TAG. Build it, push it to a \
             registry that the account can pull from, e.g. \
             ACCOUNT.dkr.ecr.REGION.amazonaws.com/worldbus:TAG, and name it here",
        );
    }
    Error::wrong_use(format!("parameter {parameter} has no value: --parameter {parameter}=VALUE"))
}

/// The same as the templates' pattern, checked before anything is asked.
fn check_system_name(name: &str) -> Result<(), Error> {
    let well_formed = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && !name.ends_with('-')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        && (2..=SYSTEM_NAME_CHARACTERS_MAX).contains(&name.len());
    if well_formed {
        return Ok(());
    }
    Err(Error::wrong_use(format!(
        "--system-name {name:?}: expected 2 to {SYSTEM_NAME_CHARACTERS_MAX} letters, digits and \
         hyphens, a letter first, e.g. gaming-system"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::expand::{ClockRole, ServiceSite};

    /// With a clock and the weather.
    fn deployment(services: &[&str]) -> Result<Deployment, Error> {
        let site = |name: &str| ServiceSite {
            name: name.to_owned(),
            api: vec![name.to_owned()],
            port: 7071,
            clock: ClockRole::None,
            topics: Vec::new(),
            database: false,
            messaging: serde_json::Value::Null,
        };
        let composition = Composition {
            services: ["clock", "weather"].map(site).into(),
            messaging: r#"{"Resources": {}}"#.to_owned(),
            ..Composition::default()
        };
        let options = Options {
            region: "us-east-1".to_owned(),
            system_name: "gaming-system".to_owned(),
            services: services.iter().map(|&text| text.to_owned()).collect(),
            ..Options::default()
        };
        Deployment::new(options, composition)
    }

    fn of(given: &[(&str, &str)]) -> Parameters {
        given.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn service_left_behind_by_a_failed_update_is_as_the_services_stack_again() {
        let clock = Stack::Service("clock".to_owned());
        let now = |stack: &Stack| match stack {
            Stack::Services => Some(of(&[("Image", "w:2"), ("Architecture", "ARM64")])),
            Stack::Service(name) if name == "clock" => {
                Some(of(&[("Image", "w:1"), ("ClockSpotPercent", "20")]))
            }
            _ => None,
        };
        let shall = deployment(&[]).unwrap().parameters(&clock, &now);
        assert_eq!((&*shall["Image"], &*shall["Architecture"]), ("w:2", "ARM64"));
        assert_eq!((&*shall["ClockSpotPercent"], &*shall["ClockCount"]), ("20", ""));
    }

    #[test]
    fn count_of_a_service_is_a_parameter_of_its_stack_alone() {
        let deployment = deployment(&["clock=2"]).unwrap();
        let shall = |stack| deployment.parameters(&stack, &|_| None);
        assert_eq!(shall(Stack::Service("clock".to_owned()))["ClockCount"], "2");
        assert_eq!(shall(Stack::Service("weather".to_owned()))["WeatherCount"], "0");
        let shared = shall(Stack::Services);
        assert!(!shared.contains_key("ClockCount") && shared["EventBusCount"] == "0");
    }
}
