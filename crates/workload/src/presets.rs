//! Which datasets come with the crate?

/// Name and text of each preset, the two of the canonical report first.
const PRESETS: [(&str, &str); 6] = [
    ("user", include_str!("../presets/user.toml")),
    ("counter", include_str!("../presets/counter.toml")),
    ("session", include_str!("../presets/session.toml")),
    ("wide", include_str!("../presets/wide.toml")),
    ("bucketed", include_str!("../presets/bucketed.toml")),
    ("large", include_str!("../presets/large.toml")),
];

/// The TOML of a preset.
pub(crate) fn text(name: &str) -> Option<&'static str> {
    PRESETS.iter().find(|(preset, _)| *preset == name).map(|(_, text)| *text)
}

/// The names of all presets.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|(name, _)| *name)
}
