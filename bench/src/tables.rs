//! The report as tables for people.

use std::fmt::Write as _;

use crate::report::Report;

/// The report as Markdown tables.
pub(crate) fn markdown(report: &Report) -> anyhow::Result<String> {
    let mut text = String::new();
    let [server, load] = report.cores;
    writeln!(
        text,
        "`{}` on {} at {}: {}. The server on core {server}, the load on core {load}.\n",
        report.command, report.date, report.commit, report.machine
    )?;
    let versions: Vec<_> = report
        .versions
        .iter()
        .map(|(name, version)| format!("{name}: {version}"))
        .collect();
    writeln!(text, "{}.\n", versions.join("; "))?;
    write_goals(report, &mut text)?;
    write_rows(report, &mut text)?;
    write_peers(report, &mut text)?;
    write_facts(report, &mut text)?;
    Ok(text)
}

fn write_goals(report: &Report, text: &mut String) -> anyhow::Result<()> {
    if report.goals.is_empty() {
        return Ok(());
    }
    writeln!(text, "### Targets\n")?;
    writeln!(text, "| | against | target | measured | met |")?;
    writeln!(text, "|---|---|---|---|---|")?;
    for goal in &report.goals {
        let figure = |value: Option<f64>| match value {
            None => "-".to_owned(),
            Some(value) if goal.unit.is_empty() => format!("{value:.2}"),
            Some(value) => format!("{value:.1} {}", goal.unit),
        };
        let reached = match goal.reached {
            None => "not measured",
            Some(true) => "yes",
            Some(false) => "no",
        };
        writeln!(
            text,
            "| {} | {} | {} | {} | {reached} |",
            goal.what,
            goal.against,
            figure(goal.to_reach),
            figure(goal.measured),
        )?;
    }
    writeln!(text)?;
    Ok(())
}

fn write_rows(report: &Report, text: &mut String) -> anyhow::Result<()> {
    if report.rows.is_empty() {
        return Ok(());
    }
    writeln!(text, "### Measurements\n")?;
    writeln!(
        text,
        "| work | database | accounts | connections | requests/s | CPU µs | p50 ms | p99 ms | p99.9 ms | core used | \
             floor | its requests/s | its CPU µs | share of the floor |"
    )?;
    writeln!(
        text,
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|"
    )?;
    for row in &report.rows {
        let (prokura, floor) = (&row.prokura, &row.floor);
        writeln!(
            text,
            "| {} | {} | {} | {} | {:.0} | {:.1} | {:.2} | {:.2} | {:.2} | {:.2} | {} | {:.0} | {:.1} | {:.2} |",
            row.work,
            row.database,
            row.accounts,
            row.connections,
            prokura.requests_per_second,
            prokura.cpu_us,
            prokura.p50_ms,
            prokura.p99_ms,
            prokura.p999_ms,
            prokura.busy,
            row.floor_signature,
            floor.requests_per_second,
            floor.cpu_us,
            prokura.share_of(floor),
        )?;
    }
    writeln!(text)?;
    Ok(())
}

fn write_facts(report: &Report, text: &mut String) -> anyhow::Result<()> {
    if report.facts.is_empty() {
        return Ok(());
    }
    writeln!(text, "### Disk\n")?;
    writeln!(text, "| | |\n|---|---|")?;
    for fact in &report.facts {
        writeln!(text, "| {} | {:.0} {} |", fact.what, fact.value, fact.unit)?;
    }
    Ok(())
}

fn write_peers(report: &Report, text: &mut String) -> anyhow::Result<()> {
    for absent in &report.absent_peers {
        writeln!(text, "Not measured: {}\n", absent.replace('\n', " "))?;
    }
    if report.peers.is_empty() {
        return Ok(());
    }
    writeln!(text, "### Other servers\n")?;
    writeln!(
        text,
        "| peer | work | requests/s | CPU µs | p50 ms | p99 ms | p99.9 ms |"
    )?;
    writeln!(text, "|---|---|---|---|---|---|---|")?;
    for row in &report.peers {
        let figures = &row.figures;
        writeln!(
            text,
            "| {} | {} | {:.0} | {:.1} | {:.2} | {:.2} | {:.2} |",
            row.peer,
            row.work,
            figures.requests_per_second,
            figures.cpu_us,
            figures.p50_ms,
            figures.p99_ms,
            figures.p999_ms,
        )?;
    }
    writeln!(text)?;
    Ok(())
}
