// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The graphs that one elaboration builds. Level 0 is the root, which belongs to the caller. The body of a `scan` is a
// graph of its own, one level deeper than the graph around it. A body reaches an outer value through a capture.
#pragma once
#include "compiler/elaborate/term.h"
#include "compiler/graph/ranges.h"
#include <map>
#include <set>
#include <string>

namespace gradc {

class Levels {
public:
    struct Level {
        Graph* graph = nullptr;
        std::unique_ptr<Graph> body;     // of a scan; empty for the root
        int64_t iterations = 1;          // of the scan
        NodeId iteration = NodeId::none; // its number: an i32 scalar in `body`
        std::unique_ptr<IntegerRanges> ranges = {};
        std::vector<NodeId> captured = {};    // nodes of the level outside, by number of capture
        std::map<NodeId, NodeId> copies = {}; // a node of the level outside -> its copy in this graph
        std::set<std::string> cells = {};     // paths of the states that an iteration carries to the next
        std::set<std::string> updated = {};   // .. and of those that it updates without carrying them yet
    };

    /// Starts with `root` alone, which must outlive this object. `largest_batch` bounds N in ranges; 0: unknown.
    Levels(Graph& root, int64_t largest_batch);

    Graph& root() { return *levels_.front()->graph; }
    Graph& graph() { return *levels_.back()->graph; }
    /// The graph of a level from 0 to depth().
    const Graph& graph(int level) const { return *levels_[size_t(level)]->graph; }
    /// How many scans are open.
    int depth() const { return int(levels_.size()) - 1; }
    const Level& at(int level) const { return *levels_[size_t(level)]; }

    /// Opens the body of a scan inside the current graph. The reference is valid until `close`.
    Level& open(int64_t iterations);
    /// Ends the innermost body and hands it to the caller. The root is never closed.
    Level close();

    /// A value of this level or an outer one as a value of the current graph. Constants are copied; other nodes become
    /// captures, at most one per node and level.
    NodeTerm imported(const NodeTerm& outer);
    /// Records that a state is updated here: the scan around must carry it.
    void note_update(const std::string& path) {
        if (depth() > 0 && !levels_.back()->cells.count(path)) levels_.back()->updated.insert(path);
    }
    /// The range of an integer node of the current graph.
    Range range(NodeId node) { return (*levels_.back()->ranges)(node); }
    /// How many nodes were added to the root and the open bodies since construction.
    int64_t nodes_added() const;

private:
    std::vector<std::unique_ptr<Level>> levels_;
    int64_t largest_batch_;
    size_t size_at_start_; // of the root
};

} // namespace gradc
