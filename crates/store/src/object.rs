//! What do commands see of what a key holds?
//!
//! They read through these types, which hide whether a hash is one packed record or a table, and
//! whether its names are a shape's. A field whose deadline has passed is not seen.

use crate::class::Encoding;
use crate::heap::Heap;
use crate::keyspace::is_past;
use crate::packed::{Packed, Place};
use crate::record::Record;
use crate::table::{Key, Ranking, Table};
use crate::value::Value;

/// A cursor over a large hash has so many bits: the most that a double can hold, since that is what
/// clients in JavaScript read it as.
const CURSOR_BITS: u32 = 53;

/// What a key holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ObjectRef<'a> {
    /// A string.
    String(Value<'a>),
    /// A hash, which has at least one field.
    Hash(HashRef<'a>),
}

impl ObjectRef<'_> {
    /// What `TYPE` answers.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::String(_) => "string",
            Self::Hash(_) => "hash",
        }
    }
}

/// A hash to read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum HashRef<'a> {
    /// Fields one after another. Those whose deadline has passed were removed when it was looked up.
    Packed {
        /// The fields.
        fields: Packed<'a>,
        /// The time.
        now_ms: u64,
    },
    /// Fields by their hashes.
    Table {
        /// The fields.
        table: &'a Table,
        /// What the table's records lie in.
        heap: &'a Heap,
        /// The time.
        now_ms: u64,
    },
}

impl<'a> HashRef<'a> {
    /// How many fields are alive. Of a large hash, in time proportional to those near whose deadline
    /// has passed.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Packed { fields, now_ms } => {
                let past = fields.deadlines().filter(|&(_, ms)| is_past(Some(ms), *now_ms));
                fields.len() - past.count()
            }
            Self::Table { table, heap, now_ms } => {
                let mut past = 0;
                table.for_each_due(heap, *now_ms, |record| {
                    past += usize::from(is_past(record.deadline_ms(), *now_ms));
                });
                table.len() - past
            }
        }
    }

    /// Whether no field is alive.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether Redis would keep it as a hashtable rather than a listpack. A listpack's fields are
    /// read in the order in which they came, and a scan shows all of them at once.
    pub(crate) fn is_hashtable(&self) -> bool {
        self.encoding() == Encoding::Hashtable
    }

    /// Whether a field has a deadline, or had one, or was about to get one: a listpack to Redis is
    /// `listpackex` then, for good.
    pub(crate) fn has_deadlines(&self) -> bool {
        self.encoding() == Encoding::ListpackEx
    }

    fn encoding(&self) -> Encoding {
        match self {
            Self::Packed { fields, .. } => fields.marks().encoding,
            Self::Table { .. } => Encoding::Hashtable,
        }
    }

    #[inline]
    pub(crate) fn get(&self, field: &[u8]) -> Option<Value<'a>> {
        match self {
            Self::Packed { fields, now_ms } => {
                let place = fields.find(field)?;
                is_alive(fields, place, *now_ms).then(|| fields.value(place))
            }
            Self::Table { .. } => self.record(field).map(|record| record.value()),
        }
    }

    /// The deadline of a field: `None` if there is no such field, `Some(None)` if it has none.
    pub(crate) fn deadline_ms(&self, field: &[u8]) -> Option<Option<u64>> {
        match self {
            Self::Packed { fields, now_ms } => {
                let place = fields.find(field)?;
                is_alive(fields, place, *now_ms).then(|| fields.deadline_ms(place.index))
            }
            Self::Table { .. } => self.record(field).map(|record| record.deadline_ms()),
        }
    }

    /// The living field's record in a table.
    fn record(&self, field: &[u8]) -> Option<Record<'a>> {
        let Self::Table { table, heap, now_ms } = self else { return None };
        let key = Key::new(field, heap.hasher.hash(field));
        let record = table.record(heap, table.locate(heap, key)?);
        Some(record).filter(|record| !is_past(record.deadline_ms(), *now_ms))
    }

    /// Shows every field.
    pub(crate) fn visit(&self, visit: &mut dyn FnMut(&[u8], Value<'_>)) {
        match self {
            Self::Packed { fields, now_ms } => {
                for (name, place) in fields.iter() {
                    if is_alive(fields, place, *now_ms) {
                        name.with_text(|name| visit(name, fields.value(place)));
                    }
                }
            }
            Self::Table { table, heap, now_ms } => {
                let mut name = Vec::new();
                table.for_each(heap, |record| show(record, *now_ms, &mut name, visit));
            }
        }
    }

    /// Shows about `count` fields from `cursor` on and returns the cursor to go on from, 0 after
    /// the last; a packed hash is shown whole.
    pub(crate) fn scan(
        &self,
        cursor: u64,
        count: usize,
        visit: &mut dyn FnMut(&[u8], Value<'_>),
    ) -> u64 {
        match self {
            Self::Packed { .. } => {
                self.visit(visit);
                0
            }
            Self::Table { table, heap, now_ms } => {
                let mut name = Vec::new();
                table.scan(heap, cursor, CURSOR_BITS, count, |record| {
                    show(record, *now_ms, &mut name, visit);
                })
            }
        }
    }

    /// The fields by number, for drawing at random.
    pub(crate) fn ranking(&self) -> FieldRanking<'a> {
        match *self {
            Self::Packed { fields, now_ms } => {
                let alive = fields.iter().filter(|&(_, place)| is_alive(&fields, place, now_ms));
                FieldRanking::Packed { fields, places: alive.collect() }
            }
            Self::Table { table, heap, now_ms } if self.len() == table.len() => {
                let _ = now_ms;
                FieldRanking::Table(table.ranking(heap))
            }
            Self::Table { table, heap, now_ms } => {
                let mut records = Vec::new();
                table.for_each(heap, |record| {
                    if !is_past(record.deadline_ms(), now_ms) {
                        records.push(record);
                    }
                });
                FieldRanking::Records(records)
            }
        }
    }

    /// Shows a field that is drawn: all are equally likely. `random` gives numbers below a bound.
    pub(crate) fn draw(
        &self,
        random: &mut dyn FnMut(usize) -> usize,
        visit: &mut dyn FnMut(&[u8], Value<'_>),
    ) {
        let Self::Table { table, heap, now_ms } = self else {
            let rank = random(self.len());
            return self.ranking().visit(rank, visit);
        };
        // Fields that are past are few, since they go by themselves; but there may be no other.
        for _ in 0..100 {
            let Some(record) = table.draw(heap, random) else { return };
            if !is_past(record.deadline_ms(), *now_ms) {
                return show(record, *now_ms, &mut Vec::new(), visit);
            }
        }
        let rank = random(self.len());
        self.ranking().visit(rank, visit);
    }
}

fn is_alive(fields: &Packed<'_>, place: Place, now_ms: u64) -> bool {
    !fields.marks().deadlines || !is_past(fields.deadline_ms(place.index), now_ms)
}

fn show(
    record: Record<'_>,
    now_ms: u64,
    name: &mut Vec<u8>,
    visit: &mut dyn FnMut(&[u8], Value<'_>),
) {
    if is_past(record.deadline_ms(), now_ms) {
        return;
    }
    name.clear();
    record.write_key(name);
    visit(name, record.value());
}

/// The fields of a hash by number.
#[derive(Debug)]
pub(crate) enum FieldRanking<'a> {
    /// Of a packed hash.
    Packed {
        /// The fields.
        fields: Packed<'a>,
        /// Each one's name and where it lies.
        places: Vec<(Value<'a>, Place)>,
    },
    /// Of a table.
    Table(Ranking<'a>),
    /// Of a table of which not all are alive.
    Records(Vec<Record<'a>>),
}

impl FieldRanking<'_> {
    /// Shows the field of number `rank`, if there are so many.
    pub(crate) fn visit(&self, rank: usize, visit: &mut dyn FnMut(&[u8], Value<'_>)) {
        let record = match self {
            Self::Packed { fields, places } => {
                if let Some(&(name, place)) = places.get(rank) {
                    name.with_text(|name| visit(name, fields.value(place)));
                }
                return;
            }
            Self::Table(ranking) => ranking.get(rank),
            Self::Records(records) => records.get(rank).copied(),
        };
        if let Some(record) = record {
            show(record, 0, &mut Vec::new(), visit);
        }
    }
}
