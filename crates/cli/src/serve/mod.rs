//! `prokura serve`.

mod background;
mod run;
mod signals;
mod welcome;

pub(crate) use run::run;
