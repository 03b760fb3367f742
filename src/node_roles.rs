//! What a node does: everything, unless it is told to take only a part of the work.

use std::{fmt, str::FromStr};

/// A part of a node's work. Each is done by one node at a time, except the API, which every node that has it serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum NodeRole {
    /// Serves the API.
    Api,
    /// Keeps the read models up to date.
    Projector,
    /// Copies the journal to the broker's stream.
    Relay,
    /// Makes notifications and mails of the stream, and sends the mails.
    Consumer,
    /// Does what follows from events, and from time.
    Reactor,
}

impl NodeRole {
    const ALL: [Self; 5] = [Self::Api, Self::Projector, Self::Relay, Self::Consumer, Self::Reactor];

    const fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Projector => "projector",
            Self::Relay => "relay",
            Self::Consumer => "consumer",
            Self::Reactor => "reactor",
        }
    }
}

impl fmt::Display for NodeRole {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The roles of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRoles(Vec<NodeRole>);

impl Default for NodeRoles {
    /// All of them.
    fn default() -> Self {
        Self(NodeRole::ALL.to_vec())
    }
}

impl From<Vec<NodeRole>> for NodeRoles {
    fn from(roles: Vec<NodeRole>) -> Self {
        Self(roles)
    }
}

impl NodeRoles {
    #[must_use]
    pub fn has(&self, role: NodeRole) -> bool {
        self.0.contains(&role)
    }

    /// These claims, if the node has the role that they belong to; else none.
    #[must_use]
    pub fn claims(&self, role: NodeRole, names: impl IntoIterator<Item = String>) -> Vec<String> {
        if self.has(role) { names.into_iter().collect() } else { Vec::new() }
    }
}

/// None of the roles there are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no role of a node")]
pub struct NoSuchRole(String);

impl FromStr for NodeRoles {
    type Err = NoSuchRole;

    /// Names separated by commas.
    fn from_str(text: &str) -> Result<Self, NoSuchRole> {
        let role = |name: &str| {
            let found = NodeRole::ALL.into_iter().find(|role| role.name() == name.trim());
            found.ok_or_else(|| NoSuchRole(name.to_owned()))
        };
        text.split(',').map(role).collect::<Result<_, _>>().map(Self)
    }
}
