// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Everything is hashed as text. A function's definition follows at its first use.
#include "compiler/bits.h"
#include "compiler/graph/print.h"
#include "compiler/program/machine.h"
#include "runtime/base/hash.h"
#include "runtime/base/text.h"
#include <fmt/format.h>
#include <set>

namespace gradc {

namespace {

class BitsHash {
public:
    explicit BitsHash(const MathLibrary& math) : math_(math) {}

    void add(const std::string& text) { hash_.add(text); }
    void add(const Graph& graph) {
        add(print_unnamed(graph, numbers_));
        add_definitions(graph);
    }
    /// How rows are made and split. Fields have the numbers of their places, since their names do not count.
    void add(const DatasetSpec& dataset) {
        for (const Field& field : dataset.fields) {
            for (const std::string& name : {field.name, dataset.name + "." + field.name})
                numbers_.emplace(name, numbers_.size());
            add(fmt::format("window {} stride {}", field.reader.window, field.reader.stride));
        }
        for (const SplitRange& split : dataset.splits) add(fmt::format("{} {}", split.name, split.fraction));
        add(fmt::format("in order {} by file {}", dataset.in_order, dataset.split_by_file));
    }
    std::string text() const { return runtime::hexadecimal(hash_.value()); }

private:
    void add_definitions(const Graph& graph) {
        for (uint32_t i = 0; i < graph.size(); ++i) {
            const Node& node = graph[NodeId(i)];
            if (node.op == Op::elementwise && floating(node.type.dtype))
                add_definition(attribute<Elementwise>(node).primitive, node.type.dtype);
        }
        for (uint32_t body = 0; body < graph.body_count(); ++body) add_definitions(graph.body(body));
    }
    void add_definition(Primitive primitive, Dtype dtype) {
        const Graph* definition = math_.definition(primitive, dtype);
        if (definition && defined_.emplace(primitive, dtype).second) add(*definition);
    }

    const MathLibrary& math_;
    runtime::Hash hash_;
    std::map<std::string, size_t> numbers_;
    std::set<std::pair<Primitive, Dtype>> defined_;
};

std::string settings_text(const TrainSettings& block) {
    std::string text =
        fmt::format("dataset {} batch {} all {} epochs {} steps {} turns {} order {}\n", block.dataset, block.batch,
                    block.batch_all, block.epochs, block.steps, block.turns, int(block.order));
    for (const Flag& flag : block.flags) text += fmt::format("{} {}\n", flag.full, flag.value);
    return text;
}

} // namespace

std::array<std::string, loop::isa_count> bits_hashes(const std::vector<NamedGraph>& programs,
                                                     const target::Metadata& metadata, const MathLibrary& math,
                                                     bool fuse, const std::vector<loop::Isa>& isas) {
    BitsHash common(math);
    common.add(fmt::format("{} fused {} flushed {}", metadata.compiler, fuse, metadata.flush_denormals));
    std::set<int32_t> without; // programs that only describe an error
    for (const DatasetSpec& dataset : metadata.datasets) common.add(dataset);
    for (const target::Metadata::Block& block : metadata.blocks) {
        common.add(settings_text(block));
        without.insert(block.diagnose);
    }
    for (size_t i = 0; i < programs.size(); ++i)
        if (!without.count(int32_t(i))) common.add(programs[i].graph);
    std::array<std::string, loop::isa_count> hashes;
    for (loop::Isa isa : isas) {
        BitsHash hash = common;
        hash.add(machine_of(isa).fused ? "fma, lanes of 64 bytes" : "baseline, lanes of 16 bytes");
        hashes[size_t(isa)] = hash.text();
    }
    return hashes;
}

} // namespace gradc
