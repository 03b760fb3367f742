//! The cycles among formulas.

/// The strongly connected components of a directed graph, each after those that it points to (Tarjan's algorithm,
/// with a stack of its own, because a chain of formulas may be thousands long).
pub(super) fn components(edges: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut walk =
        Walk { edges, nodes: vec![Node::default(); edges.len()], next: 1, stack: Vec::new(), components: Vec::new() };
    for root in 0..edges.len() {
        if walk.node(root).index == 0 {
            walk.from(root);
        }
    }
    walk.components
}

#[derive(Debug, Clone, Copy, Default)]
struct Node {
    /// In order of discovery, from 1; 0 is not yet discovered.
    index: usize,
    /// The least index that can be reached from here.
    low: usize,
    on_stack: bool,
}

struct Walk<'a> {
    edges: &'a [Vec<usize>],
    nodes: Vec<Node>,
    next: usize,
    stack: Vec<usize>,
    components: Vec<Vec<usize>>,
}

impl Walk<'_> {
    fn node(&self, at: usize) -> Node {
        self.nodes.get(at).copied().unwrap_or_default()
    }

    fn discover(&mut self, at: usize) {
        if let Some(node) = self.nodes.get_mut(at) {
            *node = Node { index: self.next, low: self.next, on_stack: true };
        }
        self.next += 1;
        self.stack.push(at);
    }

    fn lower(&mut self, at: usize, to: usize) {
        if let Some(node) = self.nodes.get_mut(at) {
            node.low = node.low.min(to);
        }
    }

    fn from(&mut self, root: usize) {
        self.discover(root);
        // Each entry: a node, and how many of its edges have been followed.
        let mut path = vec![(root, 0)];
        while let Some((at, followed)) = path.pop() {
            match self.edges.get(at).and_then(|edges| edges.get(followed)).copied() {
                Some(to) => {
                    path.push((at, followed + 1));
                    let seen = self.node(to);
                    if seen.index == 0 {
                        self.discover(to);
                        path.push((to, 0));
                    } else if seen.on_stack {
                        self.lower(at, seen.index);
                    }
                }
                None => self.leave(at, path.last().map(|(parent, _)| *parent)),
            }
        }
    }

    fn leave(&mut self, at: usize, parent: Option<usize>) {
        let done = self.node(at);
        if let Some(parent) = parent {
            self.lower(parent, done.low);
        }
        if done.low != done.index {
            return;
        }
        let mut component = Vec::new();
        while let Some(member) = self.stack.pop() {
            if let Some(node) = self.nodes.get_mut(member) {
                node.on_stack = false;
            }
            component.push(member);
            if member == at {
                break;
            }
        }
        component.sort_unstable();
        self.components.push(component);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pointed_to_comes_first_and_cycles_are_one_component() {
        // 0 → 1 → 2 → 0 is a cycle; 3 points to it; 4 points to itself.
        let edges = vec![vec![1], vec![2], vec![0], vec![1, 4], vec![4]];
        assert_eq!(components(&edges), [vec![0, 1, 2], vec![4], vec![3]]);
    }

    #[test]
    fn a_long_chain_does_not_overflow_the_stack() {
        let edges: Vec<Vec<usize>> = (0..100_000_usize).map(|n| if n == 0 { vec![] } else { vec![n - 1] }).collect();
        assert_eq!(components(&edges).len(), 100_000);
    }
}
