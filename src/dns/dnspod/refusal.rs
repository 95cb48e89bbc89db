//! What DNSPod says no with, and what an operator can do about it. Pure.

use jiff::Timestamp;

use crate::error::{Error, ErrorKind};

/// A call that brought no answer to work with.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    /// DNSPod answered with an error; nothing was written.
    Refused(Refusal),
    /// No answer, or none that can be read.
    Failed(Error),
}

/// An error in DNSPod's envelope.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) action: String,
    /// `InvalidParameter.DomainRecordExist`.
    pub(super) code: String,
    pub(super) message: String,
    pub(super) request_id: String,
    /// The answer's header `Date`.
    pub(super) date: Option<String>,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => refusal.error(),
            Failure::Failed(error) => error,
        }
    }
}

impl Failure {
    /// DNSPod's refusal, where it is one.
    pub(super) fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::Failed(_) => None,
        }
    }
}

impl Refusal {
    /// Whether the key lacks the permission for the call.
    pub(super) fn lacks_permission(&self) -> bool {
        self.code.starts_with("UnauthorizedOperation")
            || self.code == "AuthFailure.UnauthorizedOperation"
    }

    /// Whether the very record is there already.
    pub(super) fn is_record_there(&self) -> bool {
        self.code == "InvalidParameter.DomainRecordExist"
    }

    /// Whether no record has the id, because it was deleted.
    pub(super) fn is_record_gone(&self) -> bool {
        matches!(
            self.code.as_str(),
            "InvalidParameter.RecordIdInvalid" | "ResourceNotFound.NoDataOfRecord"
        )
    }

    /// Whether the list that was asked for is empty.
    pub(super) fn is_empty_list(&self) -> bool {
        self.code == "ResourceNotFound.NoDataOfRecord"
    }

    /// Whether the account does not have the zone.
    pub(super) fn lacks_zone(&self) -> bool {
        matches!(
            self.code.as_str(),
            "InvalidParameterValue.DomainNotExists"
                | "InvalidParameter.DomainIdInvalid"
                | "InvalidParameter.DomainInvalid"
                | "ResourceNotFound.NoDataOfDomain"
                | "FailedOperation.NotDomainOwner"
        )
    }

    /// For the operator: DNSPod's code and request id, and what to do.
    pub(super) fn error(&self) -> Error {
        if self.lacks_permission() {
            return missing_permissions(&[&self.action], self);
        }
        let kind = match self.code.split_once('.') {
            Some(("AuthFailure", _)) => ErrorKind::LoginRefused,
            _ => ErrorKind::Failed,
        };
        let error = Error::new(kind, format!("dnspod refuses {}", self.action)).cause(self.text());
        match self.hint() {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }

    /// Code, message and request id in a line.
    pub(super) fn text(&self) -> String {
        format!(
            "{}: {} (request {})",
            self.code, self.message, self.request_id
        )
    }

    fn hint(&self) -> Option<String> {
        Some(match self.code.as_str() {
            "AuthFailure.SignatureExpire" => self.clock(),
            "AuthFailure.SecretIdNotFound" | "AuthFailure.InvalidSecretId" => {
                "check `dns.secret_id`; a key of tencentcloud.com needs dns.site = \"intl\""
                    .to_owned()
            }
            "AuthFailure.SignatureFailure" => {
                "check `dns.secret_key`: it does not belong to `dns.secret_id`".to_owned()
            }
            code if code.starts_with("AuthFailure") => {
                "check `dns.secret_id` and `dns.secret_key` in the console's CAM".to_owned()
            }
            "InvalidParameter.RecordLineInvalid" => {
                "the plan of the zone changed meanwhile: repeat `geodeploy dns plan`".to_owned()
            }
            "LimitExceeded.SubdomainRollLimit" | "LimitExceeded.AAAACountLimit" => {
                "the zone's plan allows no further record of that name and line".to_owned()
            }
            "LimitExceeded.RecordTtlLimit" => {
                "the zone's plan allows no TTL that small: write a larger `dns.ttl`".to_owned()
            }
            _ => return None,
        })
    }

    fn clock(&self) -> String {
        let theirs = self
            .date
            .as_deref()
            .and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
        let offset = theirs.map(|theirs| {
            let seconds = Timestamp::now().as_second() - theirs.timestamp().as_second();
            let side = if seconds < 0 { "behind" } else { "ahead of" };
            format!(" ({} s {side} DNSPod's)", seconds.abs())
        });
        format!(
            "this machine's clock is wrong{}: set it, `timedatectl set-ntp true`",
            offset.unwrap_or_default()
        )
    }
}

/// All permissions that a key is known to lack.
pub(super) fn missing_permissions(actions: &[&str], refusal: &Refusal) -> Error {
    let names: Vec<String> = actions
        .iter()
        .map(|action| format!("dnspod:{action}"))
        .collect();
    let what = format!("dnspod: the key lacks the permission {}", names.join(", "));
    Error::new(ErrorKind::Failed, what)
        .cause(refusal.text())
        .hint(format!(
            "allow {} to it in CAM, or give it the policy QcloudDNSPodFullAccess",
            names.join(", ")
        ))
}
