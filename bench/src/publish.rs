//! Where a report goes: the terminal, a folder, `docs/PERFORMANCE.md`.

use std::{fs, io::Write as _, path::Path};

use anyhow::bail;

use crate::{plot, report::Report, tables};

/// The lines of `PERFORMANCE.md` between which a run writes its tables.
const BEGIN: &str = "<!-- Written by scripts/bench --publish: begin -->\n";
const END: &str = "<!-- Written by scripts/bench --publish: end -->\n";

/// Prints the tables.
pub(crate) fn print(report: &Report) -> anyhow::Result<()> {
    write!(std::io::stdout(), "{}", tables::markdown(report)?)?;
    Ok(())
}

/// Writes `report.md`, `report.json` and `plot.svg` into `directory`.
pub(crate) fn write(report: &Report, directory: &Path) -> anyhow::Result<()> {
    fs::write(directory.join("report.md"), tables::markdown(report)?)?;
    fs::write(directory.join("report.json"), json(report)?)?;
    fs::write(directory.join("plot.svg"), plot::svg(report)?)?;
    Ok(())
}

/// Replaces the tables in `PERFORMANCE.md` in `directory`, and `performance.json` and `performance.svg` beside it.
pub(crate) fn publish(report: &Report, directory: &Path) -> anyhow::Result<()> {
    let page = directory.join("PERFORMANCE.md");
    let text = fs::read_to_string(&page)?;
    let Some((before, (_, after))) = text
        .split_once(BEGIN)
        .and_then(|(before, rest)| Some((before, rest.split_once(END)?)))
    else {
        bail!("{} lacks the line {BEGIN:?} or {END:?}", page.display());
    };
    let tables = tables::markdown(report)?;
    let tables = tables.trim_end();
    fs::write(&page, format!("{before}{BEGIN}\n{tables}\n\n{END}{after}"))?;
    fs::write(directory.join("performance.json"), json(report)?)?;
    fs::write(directory.join("performance.svg"), plot::svg(report)?)?;
    Ok(())
}

fn json(report: &Report) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(report)? + "\n")
}
