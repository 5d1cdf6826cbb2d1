// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Names of kernels: direction, layer and computed value, as in forward_linear_1 or
// backward_block_attention_linear_2_weight_adam. The number of a repeated block is left out. A name that is already in
// use gets a number.
#pragma once
#include "compiler/plan/program_plan.h"
#include <map>
#include <set>

namespace gradc {

/// Parameters' paths as words: "gpt.block_3.attention_1.linear_2.weight" is "block_attention_linear_2_weight".
class PathNames {
public:
    explicit PathNames(const std::vector<std::string>& paths);
    std::string operator()(const std::string& path) const;
    /// The same without the parameter's own name.
    std::string layer(const std::string& path) const;

private:
    bool has_siblings(const std::string& prefix) const;

    std::set<std::string> prefixes_;
    bool one_model_ = false;
};

/// Of all variables of a program.
PathNames path_names(const Flat&);
/// "add", "sum", "contract".
std::string operation_word(const Graph&, NodeId);

/// Names the kernels of one program.
class KernelNames {
public:
    KernelNames(const Draft& draft, const Buffers& buffers);
    /// `members`: the kernel's candidates.
    std::string name(const FusedKernel& kernel, const std::vector<size_t>& members);

private:
    struct Updates { // variables that the kernel stores
        std::vector<std::string> parameters, states;
        bool metrics = false; // sums of losses and metrics
        std::string optimizer = {};
    };
    struct Written {
        std::vector<std::string> outputs, values;
    };
    Updates updates(const FusedKernel& kernel) const;
    Written written(const FusedKernel& kernel) const;
    std::string text(const FusedKernel& kernel, const std::vector<size_t>& members) const;
    std::string update_name(const FusedKernel& kernel, const Updates& updates, bool early) const;
    std::string value_name(const FusedKernel& kernel, const std::vector<size_t>& members, bool backward) const;
    std::string move_name(const Member& last) const;
    std::string layer_read(const std::vector<size_t>& members) const;
    const std::string& buffer_name(const Storage& place) const;

    const Draft& draft_;
    const Graph& graph_;
    const Buffers& buffers_;
    PathNames paths_;
    bool reads_parameters_ = false;
    std::set<std::string> taken_;
    std::map<std::string, int> numbers_; // the last one given, by name
};

} // namespace gradc
