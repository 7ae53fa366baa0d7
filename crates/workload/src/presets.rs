//! Which datasets come with the crate?

use std::borrow::Cow;

/// Name and text of each preset, the two of the canonical report first.
const PRESETS: [(&str, &str); 7] = [
    ("user", include_str!("../presets/user.toml")),
    ("counter", include_str!("../presets/counter.toml")),
    ("session", include_str!("../presets/session.toml")),
    ("wide", include_str!("../presets/wide.toml")),
    ("bucketed", include_str!("../presets/bucketed.toml")),
    ("large", include_str!("../presets/large.toml")),
    ("giant", include_str!("../presets/giant.toml")),
];

/// How presets of a number are named beside the others: `sweep:N`, with 1 to [`SWEPT_FIELDS_MAX`].
pub(crate) const SWEEP: &str = "sweep:N";
pub(crate) const SWEPT_FIELDS_MAX: u64 = 1024;

/// How many fields all objects of a sweep have together, whatever the number of each.
const SWEEP_FIELDS: u64 = 1_572_864;

/// The TOML of a preset.
pub(crate) fn text(name: &str) -> Option<Cow<'static, str>> {
    let preset = PRESETS.iter().find(|(preset, _)| *preset == name);
    preset.map(|(_, text)| Cow::Borrowed(*text)).or_else(|| sweep(name).map(Cow::Owned))
}

/// The names of all presets.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|(name, _)| *name)
}

/// Objects of so many fields of 8 + 16 bytes, for `sweep:16` and the like: what is in a record beside
/// them weighs less the more there are.
fn sweep(name: &str) -> Option<String> {
    let digits = name.strip_prefix("sweep:")?;
    let fields: u64 = digits.parse().ok()?;
    // Each dataset has one name: no `sweep:016`.
    if !(1..=SWEPT_FIELDS_MAX).contains(&fields) || fields.to_string() != digits {
        return None;
    }
    let (objects, last) = (SWEEP_FIELDS / fields, fields - 1);
    Some(format!(
        "name = \"sweep-{fields}\"\nseed = 8\nobjects = {objects}\nkey = \"obj:{{n:08}}\"\n\n\
         [[fields]]\nname = \"fld{{00000..{last:05}}}\"\nkind = \"alphanumeric\"\nsize = 16\n"
    ))
}
