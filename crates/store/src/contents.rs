//! What does a key hold, apart from any store?

use crate::config::Config;
use crate::context::Context;
use crate::edit::FieldDeadline;
use crate::error::CommandError;
use crate::object::ObjectRef;
use crate::table::Key;
use crate::value::Value;

/// What a key holds, all of it: what comes along when it is renamed or copied, to another key, another
/// database or another shard.
#[derive(Clone, Debug)]
pub struct Contents {
    object: Object,
    deadline_ms: Option<u64>,
}

#[derive(Clone, Debug)]
enum Object {
    String {
        value: OwnedValue,
        /// It answers `raw` to `OBJECT ENCODING`, short as it may be.
        is_raw: bool,
    },
    Hash {
        fields: Vec<Field>,
        is_hashtable: bool,
        is_listpackex: bool,
    },
}

#[derive(Clone, Debug)]
struct Field {
    name: Vec<u8>,
    value: OwnedValue,
    deadline_ms: Option<u64>,
}

/// A value that owns its bytes.
#[derive(Clone, Debug)]
enum OwnedValue {
    Bytes(Vec<u8>),
    Integer(i64),
}

impl OwnedValue {
    fn of(value: Value<'_>) -> Self {
        match value {
            Value::Bytes(bytes) => Self::Bytes(bytes.to_vec()),
            Value::Integer(integer) => Self::Integer(integer),
        }
    }

    fn value(&self) -> Value<'_> {
        match self {
            Self::Bytes(bytes) => Value::Bytes(bytes),
            Self::Integer(integer) => Value::Integer(*integer),
        }
    }
}

impl Contents {
    /// What `key` holds, if there is such a key.
    pub(crate) fn read(context: &mut Context<'_>, key: Key<'_>) -> Option<Self> {
        let deadline_ms = context.deadline_ms(key)?;
        let is_raw = context.is_raw_string(key);
        let object = match context.object(key)? {
            ObjectRef::String(value) => Object::String { value: OwnedValue::of(value), is_raw },
            ObjectRef::Hash(hash) => {
                let mut fields = Vec::with_capacity(hash.len());
                hash.visit(&mut |name, value| {
                    let (name, value) = (name.to_vec(), OwnedValue::of(value));
                    fields.push(Field { name, value, deadline_ms: None });
                });
                for field in &mut fields {
                    field.deadline_ms = hash.deadline_ms(&field.name).flatten();
                }
                let (is_hashtable, is_listpackex) = (hash.is_hashtable(), hash.has_deadlines());
                Object::Hash { fields, is_hashtable, is_listpackex }
            }
        };
        Some(Self { object, deadline_ms })
    }

    /// Puts it in the place of whatever `key` held.
    pub(crate) fn write(
        &self,
        context: &mut Context<'_>,
        key: Key<'_>,
    ) -> Result<(), CommandError> {
        match &self.object {
            Object::String { value: OwnedValue::Bytes(bytes), is_raw: true } => {
                context.put_raw_string(key, bytes, self.deadline_ms)
            }
            Object::String { value, .. } => {
                context.put_string(key, value.value(), self.deadline_ms)
            }
            Object::Hash { fields, is_hashtable, is_listpackex } => {
                context.remove(key);
                // It is what it was, whatever the limits are by now.
                let limit = if *is_hashtable { 0 } else { usize::MAX };
                let limits = Config {
                    hash_max_listpack_entries: limit,
                    hash_max_listpack_value: limit,
                    ..context.config.clone()
                };
                let mut hash = context.edit_or_create_hash_within(key, &limits)?;
                let pairs = fields.iter().map(|field| (&field.name[..], field.value.value()));
                hash.set_all(pairs, FieldDeadline::Clear)?;
                if *is_listpackex {
                    hash.mark_listpackex()?;
                }
                for field in fields.iter().filter(|field| field.deadline_ms.is_some()) {
                    hash.set_deadline_ms(&field.name, field.deadline_ms)?;
                }
                match self.deadline_ms {
                    Some(deadline_ms) => context.set_deadline_ms(key, Some(deadline_ms)),
                    None => Ok(()),
                }
            }
        }
    }
}
