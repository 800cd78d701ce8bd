//! What a run measures: figures, rows of the tables, goals.

use serde::Serialize;

use crate::seed::Number;

/// The figures of one server under one load: medians over the repetitions.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Figures {
    /// Responses per second.
    pub(crate) requests_per_second: f64,
    /// The processor time of the server, in microseconds per request.
    pub(crate) cpu_us: f64,
    /// The share of one core that the server used, from 0 to 1.
    pub(crate) busy: f64,
    /// The median response time, in milliseconds.
    pub(crate) p50_ms: f64,
    /// The 99th percentile of the response time, in milliseconds.
    pub(crate) p99_ms: f64,
    /// The 99.9th percentile of the response time, in milliseconds.
    pub(crate) p999_ms: f64,
}

impl Figures {
    /// These figures as a share of `limit`: 1 is equally fast. If both servers used up their core, this compares requests per
    /// second. Otherwise the load or the machine limited one of them, and this compares processor time per request.
    pub(crate) fn share_of(&self, limit: &Self) -> f64 {
        const USED_UP: f64 = 0.9;
        if self.busy >= USED_UP && limit.busy >= USED_UP {
            self.requests_per_second / limit.requests_per_second
        } else {
            limit.cpu_us / self.cpu_us
        }
    }
}

/// One kind of request on one database.
#[derive(Serialize)]
pub(crate) struct Row {
    /// The name of the kind of request.
    pub(crate) work: &'static str,
    /// The database.
    pub(crate) database: &'static str,
    /// The number of accounts in the database.
    pub(crate) accounts: Number,
    /// Connections, each with one request in flight.
    pub(crate) connections: u32,
    /// The figures of Prokura.
    pub(crate) prokura: Figures,
    /// The signature that the floor server computes.
    pub(crate) floor_signature: &'static str,
    /// The figures of the floor server, which sends responses of the same size.
    pub(crate) floor: Figures,
}

impl Row {
    /// The complaint if a request takes more than `bound` times the floor's processor time; `None` if it does not.
    pub(crate) fn beyond(&self, bound: Option<f64>) -> Option<String> {
        let times = self.prokura.cpu_us / self.floor.cpu_us;
        bound.filter(|bound| times > *bound).map(|bound| {
            format!(
                "`{}` takes {:.1} µs of processor time per request, {times:.1} times the floor's {:.1}; more than {bound} \
                 times is not noise: something on its path became slow",
                self.work, self.prokura.cpu_us, self.floor.cpu_us,
            )
        })
    }
}

/// The same kind of request on another product.
#[derive(Serialize)]
pub(crate) struct PeerRow {
    /// The product and its version.
    pub(crate) peer: &'static str,
    /// The name of the kind of request.
    pub(crate) work: &'static str,
    /// Its figures.
    pub(crate) figures: Figures,
}

/// A measured value that is not a rate.
#[derive(Serialize)]
pub(crate) struct Fact {
    /// What was measured.
    pub(crate) what: String,
    /// The value.
    pub(crate) value: f64,
    /// Its unit.
    pub(crate) unit: &'static str,
}

/// A goal, and whether it was reached.
#[derive(Serialize)]
pub(crate) struct Goal {
    pub(crate) what: String,
    /// What it is compared with, or why it was not measured.
    pub(crate) against: String,
    pub(crate) unit: &'static str,
    pub(crate) to_reach: Option<f64>,
    pub(crate) measured: Option<f64>,
    pub(crate) reached: Option<bool>,
}

impl Goal {
    /// A goal to reach at least the share `to_reach` of something.
    pub(crate) fn share(what: &str, against: String, to_reach: f64, measured: f64) -> Self {
        // A paused machine yields zero rates, and nothing can be divided by them.
        let measured = Some(measured).filter(|share| share.is_finite());
        Self {
            what: what.to_owned(),
            against,
            unit: "",
            to_reach: Some(to_reach),
            measured,
            reached: measured.map(|measured| measured >= to_reach),
        }
    }

    /// A goal to stay at or below `to_reach`.
    pub(crate) fn at_most(what: &str, unit: &'static str, to_reach: f64, measured: f64) -> Self {
        Self {
            what: what.to_owned(),
            against: String::new(),
            unit,
            to_reach: Some(to_reach),
            measured: Some(measured),
            reached: Some(measured <= to_reach),
        }
    }

    /// A goal that this machine or build cannot measure.
    pub(crate) fn unmeasured(what: &str, reason: &str) -> Self {
        Self {
            what: what.to_owned(),
            against: reason.to_owned(),
            unit: "",
            to_reach: None,
            measured: None,
            reached: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(busy: f64, cpu_us: f64) -> Figures {
        Figures {
            requests_per_second: busy * 1e6 / cpu_us,
            cpu_us,
            busy,
            p50_ms: 1.0,
            p99_ms: 1.0,
            p999_ms: 1.0,
        }
    }

    #[test]
    fn a_request_that_became_tenfold_slower_is_beyond_its_bound() {
        let row = |cpu_us| Row {
            work: "get",
            database: "SQLite",
            accounts: 1,
            connections: 32,
            prokura: figures(1.0, cpu_us),
            floor_signature: "constant",
            floor: figures(1.0, 7.0),
        };
        assert_eq!(row(14.0).beyond(Some(8.0)), None);
        assert!(row(140.0).beyond(Some(8.0)).is_some());
        assert_eq!(row(140.0).beyond(None), None);
    }

    #[test]
    fn a_share_compares_requests_only_if_both_servers_used_up_their_core() {
        let floor = figures(1.0, 7.0);
        assert!((figures(1.0, 14.0).share_of(&floor) - 0.5).abs() < 0.01);
        // Limited by something else: a tenth of the requests, at the same cost each.
        assert!((figures(0.05, 14.0).share_of(&floor) - 0.5).abs() < 0.01);
    }
}
