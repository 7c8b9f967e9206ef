//! How one field of a row is written. Words and texts are texts, numbers are numbers, none is null.

use std::convert::Infallible;

use kanban_core::{
    Address, Assignee, AttachmentId, BlockKind, CommentId, EventId, EventKind, FailureLimit,
    JsonObject, Label, LeaseId, Millis, Note, Outcome, PauseTarget, Phase, Reason, RunId, Scope,
    Seq, Status, SubscriptionId, SubscriptionMode, TaskId, Title, Version,
};
use minicbor::data::Type;
use minicbor::decode::Error;
use minicbor::{Decoder, Encoder};

/// Where rows are written to: memory, which does not fail.
pub(super) type Out = Encoder<Vec<u8>>;
/// What writing a field answers.
pub(super) type Put = Result<(), minicbor::encode::Error<Infallible>>;

/// A value that is a field of a row.
pub(crate) trait Field: Sized {
    /// Writes it.
    fn put(&self, to: &mut Out) -> Put;

    /// Reads it.
    fn take(from: &mut Decoder<'_>) -> Result<Self, Error>;

    /// What it is in a row that was written before the field was known.
    fn absent() -> Option<Self> {
        None
    }
}

impl<T: Field> Field for Option<T> {
    fn put(&self, to: &mut Out) -> Put {
        match self {
            None => to.null()?.ok(),
            Some(value) => value.put(to),
        }
    }

    fn take(from: &mut Decoder<'_>) -> Result<Self, Error> {
        if from.datatype()? == Type::Null {
            from.null()?;
            return Ok(None);
        }
        T::take(from).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

macro_rules! numbers {
    ($($number:ident),*) => {$(
        impl Field for $number {
            fn put(&self, to: &mut Out) -> Put {
                to.$number(*self)?.ok()
            }

            fn take(from: &mut Decoder<'_>) -> Result<Self, Error> {
                from.$number()
            }
        }
    )*};
}
numbers!(bool, u32, i32, u64, i64);

/// Types around a number, with `new` and `get`.
macro_rules! wrapped {
    ($($type:ident($number:ident)),* $(,)?) => {$(
        impl Field for $type {
            fn put(&self, to: &mut Out) -> Put {
                self.get().put(to)
            }

            fn take(from: &mut Decoder<'_>) -> Result<Self, Error> {
                $number::take(from).map(Self::new)
            }
        }
    )*};
}
wrapped!(
    Millis(i64),
    RunId(u64),
    EventId(u64),
    CommentId(u64),
    AttachmentId(u64),
    SubscriptionId(u64),
    LeaseId(u64),
    Seq(u64),
    Version(u64),
);

/// Types around a text that they check.
macro_rules! texts {
    ($($type:ident),* $(,)?) => {$(
        impl Field for $type {
            fn put(&self, to: &mut Out) -> Put {
                to.str(self.as_str())?.ok()
            }

            fn take(from: &mut Decoder<'_>) -> Result<Self, Error> {
                Self::try_from(from.str()?.to_owned()).map_err(Error::message)
            }
        }
    )*};
}
texts!(TaskId, Assignee, Title, Label, Note, Reason, Address);

/// Enums with a word for each value.
macro_rules! words {
    ($($type:ident),* $(,)?) => {$(
        impl Field for $type {
            fn put(&self, to: &mut Out) -> Put {
                to.str(self.as_str())?.ok()
            }

            fn take(from: &mut Decoder<'_>) -> Result<Self, Error> {
                let word = from.str()?;
                Self::parse(word).ok_or_else(|| Error::message(format_args!("no such word: {word:?}")))
            }
        }
    )*};
}
words!(Status, Phase, BlockKind, Outcome, SubscriptionMode);

/// What else is a text.
macro_rules! as_text {
    ($($type:ident, $text:expr, $parse:expr;)*) => {$(
        impl Field for $type {
            fn put(&self, to: &mut Out) -> Put {
                let text: fn(&Self) -> _ = $text;
                to.str(text(self).as_ref())?.ok()
            }

            fn take(from: &mut Decoder<'_>) -> Result<Self, Error> {
                let parse: fn(&str) -> Result<Self, kanban_core::Invalid> = $parse;
                parse(from.str()?).map_err(Error::message)
            }
        }
    )*};
}
as_text! {
    String, |text| text.clone(), |text| Ok(text.to_owned());
    EventKind, |kind| kind.as_str().to_owned(), |word| Ok(EventKind::from(word));
    JsonObject, JsonObject::to_text, |text| JsonObject::parse("json", text);
    PauseTarget, |target| crate::keys::pause(target).to_owned(), |text| match text {
        "" => Ok(PauseTarget::Board),
        name => Assignee::new(name).map(PauseTarget::Assignee),
    };
    Scope, |scope| crate::keys::scope(scope).to_owned(), |text| match text {
        "" => Ok(Scope::Board),
        id => TaskId::new(id).map(Scope::Task),
    };
}

impl Field for FailureLimit {
    fn put(&self, to: &mut Out) -> Put {
        self.get().put(to)
    }

    fn take(from: &mut Decoder<'_>) -> Result<Self, Error> {
        Self::new(u32::take(from)?).map_err(Error::message)
    }
}

impl<T: Field> Field for Vec<T> {
    fn put(&self, to: &mut Out) -> Put {
        to.array(self.len() as u64)?;
        self.iter().try_for_each(|item| item.put(to))
    }

    fn take(from: &mut Decoder<'_>) -> Result<Self, Error> {
        (0..len(from)?).map(|_| T::take(from)).collect()
    }
}

/// The length of an array; each of ours says it.
pub(super) fn len(from: &mut Decoder<'_>) -> Result<u64, Error> {
    from.array()?
        .ok_or_else(|| Error::message("an array without a length"))
}
