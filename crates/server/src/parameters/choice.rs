//! Which words can be chosen where a parameter is one of a few?

/// Implements what an enumeration of words needs: all its words in the order of its variants, the
/// word of a variant, and the variant of a word's place.
macro_rules! words {
    ($name:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        impl $name {
            pub(super) const WORDS: &'static [&'static str] = &[$($word),+];
            const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word for it in a configuration.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The variant whose word has this place among `WORDS`.
            pub(super) fn at(place: usize) -> Self {
                Self::ALL[place]
            }
        }
    };
}

/// Which messages are logged: those of a level and of the levels after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogLevel {
    /// Everything.
    Debug,
    /// What is often of no interest.
    Verbose,
    /// What a keeper of the server wants to know.
    #[default]
    Notice,
    /// What is wrong.
    Warning,
    /// Nothing at all.
    Nothing,
}

words!(LogLevel {
    Debug = "debug",
    Verbose = "verbose",
    Notice = "notice",
    Warning = "warning",
    Nothing = "nothing",
});

/// From where `DEBUG` may be called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum WhoMayDebug {
    /// From nowhere.
    No,
    /// From everywhere.
    Yes,
    /// From the same host.
    #[default]
    Local,
}

words!(WhoMayDebug { No = "no", Yes = "yes", Local = "local" });

/// Whose texts are spoken where Redis 8 and Valkey 9 differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Those of Redis.
    #[default]
    Redis,
    /// Those of Valkey.
    Valkey,
}

words!(Dialect { Redis = "redis", Valkey = "valkey" });
