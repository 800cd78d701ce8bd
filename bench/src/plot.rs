//! The plot: requests per second, and processor time per request, of Prokura, the floor and the peers.

use std::fmt::Write as _;

use crate::{figures::Figures, report::Report};

const WIDTH: f64 = 900.0;
const LABEL: f64 = 150.0;
const BAR: f64 = 16.0;
const GAP: f64 = 14.0;
const TOP: f64 = 56.0;
const COLOURS: [&str; 4] = ["#1f6feb", "#9aa4b2", "#d29922", "#8957e5"];

/// What the plot shows, of what is measured on SQLite with a thousand accounts.
const SHOWN: [&str; 7] = [
    "issue, opaque",
    "issue, EdDSA",
    "issue, ES256",
    "issue, RS256",
    "introspect, opaque",
    "introspect, JWT",
    "get",
];

/// One bar in each panel.
struct Bar<'r> {
    who: &'r str,
    figures: &'r Figures,
}

/// Two panels side by side, one group of bars for each piece of work.
pub(crate) fn svg(report: &Report) -> anyhow::Result<String> {
    let mut names = vec!["Prokura", "floor"];
    for row in &report.peers {
        if !names.contains(&row.peer) {
            names.push(row.peer);
        }
    }
    let groups: Vec<(&str, Vec<Bar<'_>>)> = SHOWN
        .iter()
        .filter_map(|&work| {
            let row = report.rows.iter().find(|row| row.work == work)?;
            let own = [("Prokura", &row.prokura), ("floor", &row.floor)];
            let peers = report.peers.iter().filter(|peer| peer.work == work);
            let bars = own
                .into_iter()
                .chain(peers.map(|peer| (peer.peer, &peer.figures)))
                .map(|(who, figures)| Bar { who, figures })
                .collect();
            Some((work, bars))
        })
        .collect();
    let height = groups.iter().fold(TOP, |height, (_, bars)| {
        height + bars.len() as f64 * BAR + GAP
    });

    let mut svg = String::new();
    writeln!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">"#
    )?;
    writeln!(svg, r#"<rect width="100%" height="100%" fill="white"/>"#)?;
    for (number, name) in names.iter().enumerate() {
        let (x, colour) = (
            number as f64 * 210.0 + 10.0,
            COLOURS[number % COLOURS.len()],
        );
        writeln!(
            svg,
            r#"<rect x="{x}" y="8" width="12" height="12" fill="{colour}"/>"#
        )?;
        writeln!(svg, r#"<text x="{}" y="18">{name}</text>"#, x + 18.0)?;
    }
    let panel = (WIDTH - LABEL) / 2.0;
    type Figure = fn(&Figures) -> f64;
    let panels: [(&str, Figure); 2] = [
        ("requests per second", |figures| figures.requests_per_second),
        ("CPU µs per request", |figures| figures.cpu_us),
    ];
    for (number, (title, figure)) in panels.into_iter().enumerate() {
        let left = LABEL + number as f64 * panel;
        writeln!(
            svg,
            r#"<text x="{left}" y="44" font-weight="bold">{title}</text>"#
        )?;
        let bars = groups.iter().flat_map(|(_, bars)| bars);
        let most = bars.map(|bar| figure(bar.figures)).fold(0.0, f64::max);
        let mut y = TOP;
        for (work, bars) in &groups {
            if number == 0 {
                writeln!(svg, r#"<text x="10" y="{}">{work}</text>"#, y + BAR - 4.0)?;
            }
            for bar in bars {
                let value = figure(bar.figures);
                let length = value / most * (panel - 70.0);
                let place = names.iter().position(|name| *name == bar.who).unwrap_or(0);
                let colour = COLOURS[place % COLOURS.len()];
                writeln!(
                    svg,
                    r#"<rect x="{left}" y="{y}" width="{length:.1}" height="{}" fill="{colour}"/>"#,
                    BAR - 3.0
                )?;
                let digits = usize::from(value < 100.0);
                writeln!(
                    svg,
                    r#"<text x="{:.1}" y="{}" font-size="10">{value:.digits$}</text>"#,
                    left + length + 4.0,
                    y + BAR - 6.0
                )?;
                y += BAR;
            }
            y += GAP;
        }
    }
    writeln!(svg, "</svg>")?;
    Ok(svg)
}
