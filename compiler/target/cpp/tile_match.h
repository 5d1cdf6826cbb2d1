// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Matches the elements of a tile, from the values that they store or carry down to their operands. A tuple holds one
// value for each element. Equal values stay before the loops; values that are equal within a row go into the loop over
// rows, all others into both loops. Indices must differ by a constant from row to row and from vector to vector.
#pragma once
#include "compiler/target/cpp/roll.h"
#include <map>

namespace gradc::target {

struct NoTile {}; // thrown where elements do not match

/// Elements (r, g, v): groups lie beside each other in a row and are no array, since their last vector is masked.
struct Form {
    int rows = 1, groups = 1, vectors = 1;
    int elements() const { return rows * groups * vectors; }
    size_t at(int r, int g, int v) const { return size_t((r * groups + g) * vectors + v); }
};

using Tuple = std::vector<loop::ValueId>; // by row, then by vector: the elements of one group

/// How a tile was rolled, step by step. A tile of one row follows the steps of its sibling of more rows: it has no
/// second row that would tell what differs from row to row.
struct Trace {
    enum class Level : uint8_t { known, array, uniform, affine, row, inner };
    struct Step {
        Level level;
        size_t number = 0; // known: of the step that made it
    };
    Form form;
    std::vector<Step> steps;
    std::vector<int64_t> by_row; // of each constant that differs from row to row
};

/// Accumulators in use: their buffer, and the values that the elements stand for.
struct TileArray {
    loop::BufferId id;
    std::vector<loop::ValueId> current; // values that its elements stand for
};

class TileMatch {
protected:
    // ---- emission
    void open_loops();
    void close_loops(loop::Body& out);
    loop::ValueId fresh(loop::ValueType type, const std::string& name = "");
    loop::Affine element_of_array() const;
    bool has_rows() const { return form_.rows > 1 || replayed_; }
    bool equal_in_rows(const Tuple& tuple) const;
    /// base + a r + b v for all elements, or no tile.
    void add_affine(const std::vector<int64_t>& numbers, loop::Affine& to);
    /// The same value for all elements.
    loop::ValueId uniform(loop::ValueId id) const;
    loop::ValueId emit(const Tuple& tuple);
    Trace::Step level_of(const Tuple& tuple) const;
    loop::ValueId made(const Tuple& tuple, Trace::Level level);
    // ---- whole numbers that differ by constants
    /// An index as base + constant: additions of literals are looked through.
    std::pair<loop::ValueId, int64_t> index_of(loop::ValueId id) const;
    bool differ_by_constants(const Tuple& tuple) const;
    loop::ValueId shifted(const Tuple& tuple);
    loop::ValueId index_sum(loop::ValueId base, const loop::Affine& sum, loop::Body& level);
    loop::ValueType type_of(const Tuple& tuple) const;
    loop::ValueId define(const Tuple& tuple, const std::vector<const loop::Statement*>& all, loop::Body& level);
    void note_call(const Tuple& tuple, loop::ValueId result);
    /// Whole numbers that grow from row to row and from vector to vector.
    loop::ValueId literal(loop::ValueType type, const std::vector<const loop::Define*>& defines, loop::Body& level);
    loop::Affine address(const std::vector<const loop::Affine*>& all);
    loop::ValueId optional(const std::vector<loop::ValueId>& ids);
    loop::ValueId load(const Tuple& tuple, const std::vector<const loop::Statement*>& all, loop::Body& level);
    /// Loads of written memory belong to the elements that the tuple has them for.
    void check_owners(const Tuple& tuple) const;
    void effect(const std::vector<const loop::Statement*>& group, loop::Body& stores);

    RolledKernel result_;
    loop::BufferId first_array_;
    std::map<loop::ValueId, size_t> calls_; // of the original statements, by result
    std::map<loop::ValueId, const loop::Statement*> definitions_;
    std::set<loop::BufferId> written_;
    Form form_;
    std::vector<TileArray> arrays_;   // of the tile, by group
    std::set<loop::ValueId> local_;   // values of single elements, which no statement outside the loops defines
    std::set<loop::ValueId> waiting_; // loads of memory that the kernel writes, not rolled so far
    loop::Body row_, inner_;          // of the loops under way
    loop::ValueId row_index_ = loop::no_value, vector_index_ = loop::no_value;
    std::map<Tuple, size_t> known_;         // the step that made a tuple
    std::map<size_t, loop::ValueId> made_;  // by step
    Trace trace_, sibling_;                 // of this tile; of the last one of several rows
    const Trace* replayed_ = nullptr;       // whose steps a tile of one row follows
    size_t replayed_rows_ = 0;              // of its constants, those that are used
    std::map<loop::ValueId, size_t> owner_; // of loads in a run with effects: the element that they stand before
};

} // namespace gradc::target
