// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Writes the statements of one kernel. A value is defined once, in the outermost open scope where all its operands are
// known. So loop-invariant values are computed before the loop, and no value is computed twice.
#pragma once
#include "compiler/program/program.h"
#include <map>
#include <set>

namespace gradc {

/// Appends statements to a kernel. Values get numbers in the order of their statements.
class Emitter {
public:
    Emitter(loop::Kernel& kernel, std::set<loop::BufferId> written);

    loop::ValueType type(loop::ValueId id) const { return kernel_.types[id]; }
    int depth() const { return int(scopes_.size()) - 1; }
    bool in_scope(loop::ValueId id) const {
        size_t at = size_t(depth_[id]);
        return at < scopes_.size() && scopes_[at].serial == serial_[id];
    }
    bool writes(loop::BufferId buffer) const { return written_.count(buffer) > 0; }

    loop::ValueId define(loop::Operation, loop::ValueType result, std::vector<loop::ValueId> operands = {},
                         double number = 0, int64_t integer = 0);
    loop::ValueId integer(int64_t value, loop::ValueType = {Dtype::i64, 1});
    loop::ValueId number(double value, loop::ValueType);
    /// Splats scalars where other operands are vectors. The result has the type of the operands.
    loop::ValueId apply(loop::Operation, std::vector<loop::ValueId> operands);
    loop::ValueId compare(loop::Operation, loop::ValueId a, loop::ValueId b);
    loop::ValueId convert(loop::ValueId, Dtype);
    /// Half of a random stream, the lower one or the upper one: an i32.
    loop::ValueId stream(uint64_t stream, bool upper);
    loop::ValueId widened(loop::ValueId, int lanes); // splat if it is scalar

    loop::ValueId load(loop::BufferId, Dtype, int lanes, loop::Affine, int64_t stride = 1,
                       loop::ValueId mask = loop::no_value, loop::ValueId lane_index = loop::no_value,
                       loop::ValueId wanted = loop::no_value);
    void store(loop::BufferId, loop::Affine, loop::ValueId value, int64_t stride = 1,
               loop::ValueId mask = loop::no_value);
    void prefetch(loop::BufferId, loop::Affine, bool for_write);
    void comment(std::string text);
    /// Notes that the statements compute a known function.
    void note_call(loop::ValueId result, std::string function, std::vector<loop::ValueId> arguments) {
        kernel_.calls.push_back({result, std::move(function), std::move(arguments)});
    }
    void name(loop::ValueId id, std::string text) { kernel_.names[id] = std::move(text); }

    /// Opens a loop. Returns its index and the carried values inside it.
    std::pair<loop::ValueId, std::vector<loop::ValueId>> open_loop(loop::ValueId begin, loop::ValueId end, int64_t step,
                                                                   const std::string& name,
                                                                   const std::vector<loop::ValueId>& initial = {});
    /// Closes the loop. Returns the carried values after it.
    std::vector<loop::ValueId> close_loop(const std::vector<loop::ValueId>& next = {});
    /// The statements that follow run where the condition (a scalar) holds; after `open_otherwise`, where it does not.
    /// Values that a branch defines are not known after it.
    void open_branch(loop::ValueId condition);
    void open_otherwise();
    void close_branch();
    /// Moves the statements into the kernel. All loops and branches must be closed.
    void finish();

private:
    using Key = std::tuple<int, int, int, std::vector<loop::ValueId>, uint64_t, int64_t>;
    using LoadKey = std::tuple<loop::BufferId, int, int64_t, std::vector<std::pair<loop::ValueId, int64_t>>, int64_t,
                               loop::ValueId, loop::ValueId, loop::ValueId>;
    struct Scope {
        uint32_t serial = 0;
        loop::Body body;
        loop::Loop loop{loop::no_value, loop::no_value, loop::no_value, 1, {}, {}, {}};
        loop::If branch{loop::no_value, {}, {}};
        std::vector<Key> keys; // to be forgotten when it closes
        std::vector<LoadKey> loads;
    };
    loop::ValueId fresh(loop::ValueType type, int depth);
    void open(Scope scope);
    Scope close();

    loop::Kernel& kernel_;
    std::set<loop::BufferId> written_;
    std::vector<Scope> scopes_;
    std::vector<int> depth_;       // by value: scope that defines it
    std::vector<uint32_t> serial_; // and which of the scopes that stood there
    uint32_t serials_ = 0;
    std::map<Key, loop::ValueId> known_;
    std::map<LoadKey, loop::ValueId> loaded_;
};

} // namespace gradc
