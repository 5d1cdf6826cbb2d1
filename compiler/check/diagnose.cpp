// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The count of a value is the sum, in f64, of !(|x| < infinity).
#include "compiler/check/diagnose.h"
#include "compiler/graph/build.h"
#include "compiler/graph/print.h"
#include "compiler/graph/rewrite.h"
#include <fmt/format.h>
#include <limits>
#include <numeric>

namespace gradc {
namespace {

/// By a comparison, which no rewrite removes; the fast rewrites take `x - x` for 0.
NodeId count_not_finite(Graph& graph, NodeId value) {
    const Type type = graph.type(value);
    NodeId size = build::elementwise(graph, Primitive::abs, {value});
    double infinity = std::numeric_limits<double>::infinity();
    NodeId finite =
        build::elementwise(graph, Primitive::less, {size, build::constant(graph, infinity, type.dtype, type.shape)});
    NodeId bad = build::elementwise(graph, Primitive::logical_not, {finite});
    std::vector<int> axes(type.shape.size());
    std::iota(axes.begin(), axes.end(), 0);
    return build::sum(graph, build::cast(graph, bad, Dtype::f64), axes);
}

bool worth_counting(const Graph& graph, NodeId id, const Sources& sources) {
    const Node& node = graph[id];
    if (!floating(node.type.dtype) || !node.span.known()) return false;
    if (node.op == Op::constant || node.op == Op::custom_gradient || node.op == Op::scan) return false;
    return sources.all[node.span.source].name.rfind("std/", 0) != 0 || kind(node.op) != Kind::move;
}

} // namespace

Graph diagnose(const Graph& forward, NodeId root, const Sources& sources) {
    Graph graph = extract(forward, {{"loss", root}});
    NodeId end = graph.outputs[0].node;
    graph.outputs.clear();
    for (NodeId id : reachable(graph, {end})) {
        if (!worth_counting(graph, id, sources)) continue;
        const Span span = graph[id].span;
        Place place = sources.place(span.source, span.begin);
        std::string text(sources.text(span));
        if (size_t line_end = text.find('\n'); line_end != std::string::npos) text.resize(line_end);
        const std::string& path =
            sources.all[span.source].name; // without the folder: the same source gives the same bytes in any folder
        std::string file = path.substr(path.rfind('/') + 1);
        std::string name = fmt::format("{}:{}:{}: {}", file, place.line, place.column, text);
        graph.outputs.push_back({name, count_not_finite(graph, id)});
    }
    return graph;
}

} // namespace gradc
