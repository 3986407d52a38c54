//! What groups and files are for, by the names that are stored.

use std::fmt;
use std::str::FromStr;

use stook_core::Error;

macro_rules! names {
    ($(#[$doc:meta])* $name:ident { $($(#[$member_doc:meta])* $member:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$member_doc])* $member),* }

        impl $name {
            /// Every member, in the order of its number.
            pub const ALL: &[Self] = &[$(Self::$member),*];

            /// The name that is stored.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$member => $text),* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl FromStr for $name {
            type Err = Error;

            /// The member of a name, in small letters or large ones.
            fn from_str(name: &str) -> Result<Self, Error> {
                let found = Self::ALL.iter().find(|known| known.name().eq_ignore_ascii_case(name));
                found.copied().ok_or_else(|| {
                    let what = stringify!($name);
                    Error::invalid(format!("`{name}` is no {what}"))
                })
            }
        }
    };
}

names! {
    /// What a group is for.
    GroupType {
        /// A detector.
        Detector = "detector",
        /// An actuator.
        Actuator = "actuator",
        /// Data.
        Data = "data",
        /// A channel.
        Channel = "ch",
        /// A scan.
        Scan = "scan",
        /// Nodes of another file.
        ExternalH5 = "external_h5",
        /// Data of one number of axes.
        DataDim = "data_dim",
        /// What a logger keeps.
        DataLogger = "data_logger",
    }
}

names! {
    /// What a file is for.
    SaveType {
        /// Scans.
        Scan = "scan",
        /// A detector's data.
        Detector = "detector",
        /// A logger's data.
        Logger = "logger",
        /// Whatever the user saves.
        Custom = "custom",
        /// An actuator's positions.
        Actuator = "actuator",
        /// The course of an optimisation.
        Optimizer = "optimizer",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_whatever_their_case() {
        assert_eq!("Data_Dim".parse::<GroupType>().unwrap(), GroupType::DataDim);
        assert!("lens".parse::<SaveType>().unwrap_err().message().contains("`lens`"));
    }
}
