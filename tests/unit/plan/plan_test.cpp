// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Fusion, addresses and order of kernels. The plan's text is the same for the same graphs.
#include "compiler/graph/build.h"
#include "compiler/plan/live_ranges.h"
#include "compiler/plan/plan.h"
#include "tests/support/random_graph.h"
#include <algorithm>
#include <catch2/catch.hpp>

using namespace gradc;

namespace {

NodeId field(Graph& graph, const std::string& name, Shape shape) {
    return graph.add(Op::input, {Dtype::f32, std::move(shape)}, {}, Input{Input::Source::field, name, 0, -1});
}

Graph two_layers() {
    Graph graph(std::make_shared<PrimitiveTable>());
    NodeId x = field(graph, "x", {rows, 100}), zero = build::constant(graph, 0);
    for (int layer = 0; layer < 2; ++layer) {
        std::string name = "layer_" + std::to_string(layer);
        NodeId w = build::variable(graph, name + ".weight", {Dtype::f32, {100, 100}});
        NodeId c = build::variable(graph, name + ".bias", {Dtype::f32, {100}});
        NodeId z = build::contract(graph, x, w, {{0, 1}, {1, 2}, {0, 2}});
        x = build::elementwise(graph, Primitive::maximum, {build::elementwise(graph, Primitive::add, {z, c}), zero});
        graph.name_node(x, "h" + std::to_string(layer));
    }
    graph.outputs.push_back({"predict", x});
    return graph;
}

} // namespace

TEST_CASE("a layer is one kernel, and only results that others read are stored") {
    Plan plan = make_plan({{"predict", two_layers()}}, {"m", 32});
    REQUIRE(plan.programs[0].kernels.size() == 2);
    for (const FusedKernel& kernel : plan.programs[0].kernels) {
        CHECK(kernel.kind == FusedKernel::Kind::product);
        CHECK(kernel.space == Shape{rows, 100});
    }
    CHECK(plan.programs[0].kernels[0].name == "forward_layer_0");
    int activations = 0;
    for (const loop::Buffer& buffer : plan.buffers) activations += buffer.role == loop::Buffer::Role::activation;
    CHECK(activations == 1);
    CHECK(plan.parts.variables == 2 * (2 * 100 * 64 * 4 + 64 + 512)); // weights in panels of 64
}

TEST_CASE("rows of activations begin at a cache line and are no multiple of a kilobyte apart") {
    for (auto [columns, stride] : {std::pair<int64_t, int64_t>{10, 10},
                                   {32, 32},
                                   {100, 112},
                                   {200, 208},
                                   {256, 272},
                                   {512, 528},
                                   {784, 784},
                                   {1000, 1008},
                                   {1023, 1040}}) {
        for (bool batched : {false, true}) {
            Graph graph(std::make_shared<PrimitiveTable>());
            Shape shape = batched ? Shape{rows, 1, columns} : Shape{rows, columns};
            NodeId x = build::elementwise(graph, Primitive::sqrt, {field(graph, "x", shape)});
            graph.name_node(x, "h");
            graph.outputs.push_back({"sum", build::sum(graph, x, {0})});
            PlanOptions options{"m", 4};
            options.fuse = false;
            Plan plan = make_plan({{"p", graph}}, options);
            auto h = std::find_if(plan.buffers.begin(), plan.buffers.end(),
                                  [](const auto& buffer) { return buffer.name == "h"; });
            REQUIRE(h != plan.buffers.end());
            INFO(columns << (batched ? " batched" : ""));
            CHECK(h->strides[0] == stride);
            CHECK(h->size == (3 * stride + columns) * 4);
        }
    }
}

TEST_CASE("without fusion each operation has a kernel and memory of its own") {
    PlanOptions options{"m", 32};
    options.fuse = false;
    Plan plan = make_plan({{"predict", two_layers()}}, options);
    CHECK(plan.programs[0].kernels.size() == 6); // product, bias and maximum of both layers
    for (const FusedKernel& kernel : plan.programs[0].kernels) {
        REQUIRE(kernel.stages.size() == 1);
        CHECK(kernel.stages[0].members.size() == 1);
    }
    std::vector<std::pair<int64_t, int64_t>> taken;
    for (const loop::Buffer& buffer : plan.buffers)
        if (buffer.role == loop::Buffer::Role::activation)
            taken.push_back({buffer.offset, buffer.offset + buffer.size});
    CHECK(taken.size() == 5); // the last is the result
    std::sort(taken.begin(), taken.end());
    for (size_t i = 1; i < taken.size(); ++i) CHECK(taken[i - 1].second <= taken[i].first);
}

TEST_CASE("programs share variables and fields, and reuse the memory of other values") {
    Plan one = make_plan({{"a", two_layers()}}, {"m", 32});
    Plan two = make_plan({{"a", two_layers()}, {"b", two_layers()}}, {"m", 32});
    CHECK(two.parts.variables == one.parts.variables);
    CHECK(two.parts.fields == one.parts.fields);
    CHECK(two.parts.activations == one.parts.activations);
    CHECK(two.parts.results == 2 * one.parts.results);
}

TEST_CASE("the peak is the largest sum of live values") {
    Graph graph(std::make_shared<PrimitiveTable>());
    NodeId x = field(graph, "x", {rows, 48});
    for (int i = 0; i < 8; ++i) {
        NodeId w = build::variable(graph, "w" + std::to_string(i), {Dtype::f32, {48, 48}});
        x = build::contract(graph, x, w, {{0, 1}, {1, 2}, {0, 2}});
    }
    graph.outputs.push_back({"y", x});
    Plan plan = make_plan({{"p", graph}}, {"m", 16});
    CHECK(plan.programs[0].kernels.size() == 8);
    CHECK(plan.parts.activations == 2 * (16 * 48 * 4 + 64)); // one read, one written
}

TEST_CASE("kernels run in the order that needs less memory") {
    Graph graph(std::make_shared<PrimitiveTable>());
    NodeId x = field(graph, "x", {rows, 48}), sum = NodeId::none;
    std::vector<NodeId> wide;
    for (int i = 0; i < 6; ++i) {
        NodeId w = build::variable(graph, "in" + std::to_string(i), {Dtype::f32, {48, 480}});
        wide.push_back(build::contract(graph, x, w, {{0, 1}, {1, 2}, {0, 2}}));
    }
    for (int i = 0; i < 6; ++i) {
        NodeId v = build::variable(graph, "out" + std::to_string(i), {Dtype::f32, {480, 8}});
        NodeId y = build::contract(graph, wide[size_t(i)], v, {{0, 1}, {1, 2}, {0, 2}});
        sum = i == 0 ? y : build::elementwise(graph, Primitive::add, {sum, y});
    }
    graph.outputs.push_back({"y", sum});
    Plan plan = make_plan({{"p", graph}}, {"m", 16});
    REQUIRE(plan.programs[0].kernels.size() == 12);
    CHECK(plan.parts.activations < 2 * 16 * 480 * 4); // not six of the wide ones
}

TEST_CASE("addresses need at most a tenth more than the largest sum of live values") {
    auto primitives = std::make_shared<PrimitiveTable>();
    int tight = 0;
    for (uint64_t seed = 1; seed <= 300; ++seed) {
        Plan plan = make_plan({{"p", random_graph(seed, primitives)}}, {"m", int64_t(1 + seed % 40)});
        int64_t own = plan.parts.activations, shared = plan.arena_bytes - own;
        INFO("seed " << seed);
        CHECK(own >= plan.least - shared);
        CHECK(double(own) <= 1.1 * double(plan.least - shared));
        CHECK(plan.kept <= own);
        tight += own > 0 && own == plan.least - shared;
    }
    CHECK(tight > 100);
}

TEST_CASE("intervals need as much memory as the largest sum of live ones") {
    auto room = [](int64_t size, int64_t first, int64_t last) { return Allocation{{}, size, {first, last}}; };
    CHECK(largest_cut({}) == 0);
    CHECK(largest_cut({room(64, 0, 3), room(128, 3, 5), room(256, 4, 9)}) == 384);
    CHECK(largest_cut({room(64, 0, 3), room(128, 4, 5)}) == 128);
    CHECK(across({room(64, 0, 3), room(128, 3, 5), room(256, 4, 9)}, 4) == 128);
}

TEST_CASE("a sum over iterations is a loop of the table") {
    Graph graph(std::make_shared<PrimitiveTable>());
    NodeId x = field(graph, "x", {rows, 9});
    Graph body(graph.shared_primitives());
    NodeId carry = body.add(Op::input, {Dtype::f32, {rows}}, {}, Input{Input::Source::carry, "0", 0, -1});
    NodeId all = body.add(Op::input, {Dtype::f32, {rows, 9}}, {}, Input{Input::Source::capture, "0", 0, -1});
    NodeId iteration = body.add(Op::input, {Dtype::i32, {}}, {}, Input{Input::Source::iteration, "iteration", 0, 8});
    NodeId sum = build::elementwise(body, Primitive::add, {carry, build::gather(body, all, iteration, {1, 0})});
    body.outputs = {{"", sum}, {"", sum}};
    NodeId zeros = build::constant(graph, 0, Dtype::f32, {rows});
    auto parts = build::scan(graph, std::move(body), {zeros}, {x}, 9, false);
    graph.outputs = {{"last", parts[0]}, {"all", parts[1]}};
    Plan plan = make_plan({{"p", graph}}, {"m", 4});
    std::vector<loop::Step::Kind> what;
    for (const loop::Step& step : plan.programs[0].table) what.push_back(step.kind);
    using Kind = loop::Step::Kind;
    REQUIRE(what.size() >= 5);
    CHECK(what[0] == Kind::kernel);
    CHECK(what[1] == Kind::loop_begin);
    CHECK(what[2] == Kind::kernel);
    CHECK(what[3] == Kind::loop_end);
    CHECK(plan.programs[0].table[1].iterations == 9);
}

TEST_CASE("a transposed operand of a product is copied, to be read along its rows") {
    Graph graph(std::make_shared<PrimitiveTable>());
    NodeId g = field(graph, "g", {rows, 10});
    NodeId w = build::variable(graph, "w", {Dtype::f32, {100, 10}});
    NodeId back = build::contract(graph, g, w, {{0, 2}, {1, 2}, {0, 1}}); // g w'
    graph.outputs.push_back({"y", build::elementwise(graph, Primitive::multiply, {back, back})});
    Plan plan = make_plan({{"p", graph}}, {"m", 64});
    const auto& kernels = plan.programs[0].kernels;
    REQUIRE(kernels.size() == 2);
    CHECK(kernels[0].kind == FusedKernel::Kind::nest); // the copy
    CHECK(kernels[1].kind == FusedKernel::Kind::product);
}

TEST_CASE("long rows have a loop each, many short rows share one loop") {
    auto loops_in_rows = [](int64_t columns, int64_t batch) { // kernels that run a loop for each row
        Graph graph(std::make_shared<PrimitiveTable>());
        NodeId x = field(graph, "x", {rows, columns});
        NodeId largest = build::broadcast(graph, build::max_of(graph, x, {1}), {rows, columns}, {0});
        graph.outputs.push_back({"y", build::elementwise(graph, Primitive::subtract, {x, largest})});
        Plan plan = make_plan({{"p", graph}}, {"m", batch});
        int count = 0;
        for (const FusedKernel& kernel : plan.programs[0].kernels)
            for (const Stage& stage : kernel.stages) count += kernel.space == Shape{rows} && !stage.inner.empty();
        return count;
    };
    CHECK(loops_in_rows(40, 100) > 0);
    CHECK(loops_in_rows(3, 100) == 0);
    CHECK(loops_in_rows(3, 4) > 0); // all of it is one function anyway
}

TEST_CASE("the same graphs give the same text") {
    for (uint64_t seed = 1; seed < 20; ++seed) {
        auto text = [&] {
            return print(make_plan({{"p", random_graph(seed, std::make_shared<PrimitiveTable>())}}, {"m", 5}));
        };
        CHECK(text() == text());
    }
}
