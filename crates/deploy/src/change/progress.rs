//! What is reported while something runs.

/// Something that happened, as it happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// A stack is begun with: `create`, `update` or `delete`.
    Begun {
        /// Its name.
        stack: String,
        /// What is done with it.
        what: &'static str,
    },
    /// A stack is as it should be; nothing was done.
    Unchanged {
        /// Its name.
        stack: String,
    },
    /// A resource got on.
    Resource {
        /// The stack that it is in.
        stack: String,
        /// Its name within the template.
        logical: String,
        /// E.g. `AWS::SQS::Queue`.
        kind: String,
        /// E.g. `CREATE_IN_PROGRESS`.
        status: String,
        /// Why, if AWS gives a reason.
        reason: String,
    },
    /// A task of a service stopped.
    Stopped {
        /// The service.
        service: String,
        /// Why.
        reason: String,
    },
    /// A stack is done with.
    Ended {
        /// Its name.
        stack: String,
        /// E.g. `CREATE_COMPLETE`.
        status: String,
    },
}

/// Where progress goes.
pub(crate) type Report<'a> = &'a (dyn Fn(Progress) + Send + Sync);
