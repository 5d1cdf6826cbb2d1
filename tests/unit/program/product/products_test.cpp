// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Products with every tile of the search space: all give the evaluator's numbers, and the bits of an element depend
// neither on other rows nor on the division of work.
#include "compiler/graph/build.h"
#include "tests/support/agreement.h"
#include <catch2/catch.hpp>
#include <random>

using namespace gradc;

namespace {

constexpr loop::Isa all_isas[] = {loop::Isa::baseline, loop::Isa::avx2, loop::Isa::avx512};

/// One product as a program: `left` and `right` label the operands, 0 rows, 1 depth, 2 columns, 3 copies.
struct ProductCase {
    std::array<int64_t, 4> sizes; // by label
    std::vector<int> left, right;
    bool counted = false; // label 0 is N
    bool weight = false;  // the right operand is a variable, which may be in panels
    std::vector<int> out = {0, 2};

    Shape shape(const std::vector<int>& labels) const {
        Shape result;
        for (int label : labels) result.push_back(label == 0 && counted ? rows : sizes[size_t(label)]);
        return result;
    }
    std::string text() const {
        std::string result;
        for (int64_t size : sizes) result += std::to_string(size) + " ";
        for (int label : left) result += char('a' + label);
        result += ' ';
        for (int label : right) result += char('a' + label);
        return result + (counted ? " counted" : "") + (weight ? " weight" : "");
    }
};

/// Numbers within 2 that a float holds, and sums of many such.
void fill(Tensor& tensor, std::mt19937& random) {
    for (int64_t i = count(tensor.shape, 1); i > 0; --i)
        tensor.values.push_back(double(int(random() % 201) - 100) / 64);
}

struct ProductProgram {
    Graph graph{std::make_shared<PrimitiveTable>()};
    Environment environment;

    explicit ProductProgram(const ProductCase& from, std::mt19937& random) {
        environment.rows = from.counted ? from.sizes[0] : 1;
        auto drawn = [&](const Shape& shape) {
            Tensor tensor{shape, {}};
            for (int64_t& size : tensor.shape)
                if (size == rows) size = environment.rows;
            fill(tensor, random);
            return tensor;
        };
        Shape x_shape = from.shape(from.left), w_shape = from.shape(from.right);
        environment.fields["x"] = drawn(x_shape);
        NodeId x = graph.add(Op::input, {Dtype::f32, x_shape}, {}, Input{Input::Source::field, "x", 0, -1});
        NodeId w = NodeId::none;
        if (from.weight) {
            environment.variables["w"] = drawn(w_shape);
            w = build::variable(graph, "w", {Dtype::f32, w_shape});
        } else {
            environment.fields["w"] = drawn(w_shape);
            w = graph.add(Op::input, {Dtype::f32, w_shape}, {}, Input{Input::Source::field, "w", 0, -1});
        }
        graph.outputs.push_back({"out", build::contract(graph, x, w, {from.left, from.right, from.out})});
    }

    std::string error(AgreementOptions options) const {
        options.rows = environment.rows;
        options.batch = std::max(options.batch, options.rows);
        return disagreement(graph, environment, options);
    }

    /// Elements of the result as the interpreter leaves them, for the first `row_count` rows.
    std::vector<double> bits(loop::Isa isa, int64_t batch, int64_t row_count, int64_t pieces) const {
        using Role = loop::Buffer::Role;
        Plan plan = make_plan({{"program", graph}}, {"test", batch});
        loop::Module module = lower(plan, {isa}, NoMath());
        loop::Interpreter run(module);
        run.fill_activations(std::numeric_limits<double>::quiet_NaN());
        for (const auto& [name, tensor] : environment.fields) {
            Tensor some = tensor;
            if (name == "x" && row_count < environment.rows) {
                some.values.resize(some.values.size() / size_t(environment.rows) * size_t(row_count));
                some.shape[0] = row_count;
            }
            agreement::write(run, module, Role::field, name, some);
        }
        for (const auto& [name, tensor] : environment.variables)
            agreement::write(run, module, Role::variable, name, tensor);
        run.run(*module.programs[0][size_t(isa)], row_count, pieces);
        const loop::Buffer& out = agreement::buffer_of(module, Role::output, "program.out");
        Shape shape = out.shape;
        if (shape[0] == rows) shape[0] = row_count;
        std::vector<double> result;
        for (int64_t i = 0; i < count(shape, batch); ++i)
            result.push_back(run.peek(out, agreement::dtype_of(out, shape, i)));
        return result;
    }
};

ProductCase random_case(std::mt19937& random) {
    auto size = [&](int64_t most) { return 1 + int64_t(random() % uint64_t(most)); };
    ProductCase result{{size(34), size(9), size(70), size(3)}, {}, {}};
    switch (random() % 6) {
    case 0: result.left = {0, 1}, result.right = {1, 2}, result.counted = true, result.weight = true; break;
    case 1: result.left = {0, 1}, result.right = {1, 2}; break;
    case 2: result.left = {1, 0}, result.right = {1, 2}; break;
    case 3: result.left = {0, 1}, result.right = {2, 1}, result.counted = true, result.weight = true; break;
    case 4: result.left = {3, 0, 1}, result.right = {3, 1, 2}, result.out = {3, 0, 2}; break;
    default: result.left = {3, 0, 1}, result.right = {3, 2, 1}, result.out = {3, 0, 2};
    }
    while (count(result.shape(result.out), result.sizes[0]) * result.sizes[1] < 4096) ++result.sizes[1];
    return result;
}

} // namespace

TEST_CASE("sizes are split evenly") {
    for (int64_t size = 1; size <= 200; ++size)
        for (int64_t most = 1; most <= 28; ++most) {
            EvenSplit split = split_evenly(size, most);
            REQUIRE(split.parts == (size + most - 1) / most);
            REQUIRE(split.longer <= most);
            REQUIRE(split.long_parts >= 1);
            REQUIRE(split.begin(split.parts) == size);
            for (bool panels : {false, true}) {
                ColumnSplit columns = split_columns(size, int(most), panels);
                REQUIRE(columns.wide_count * columns.wide + columns.narrow_count * columns.narrow == size);
                REQUIRE(columns.wide <= most);
                REQUIRE((panels || columns.narrow_count == 0 || columns.wide - columns.narrow == 1));
            }
        }
}

TEST_CASE("tiles stay within registers and cut panels evenly") {
    for (loop::Isa isa : all_isas)
        for (int panel : {0, 1, 2, 3, 4, 6, 8, 12, 16}) {
            Machine machine = machine_of(isa);
            auto tiles = product_tiles(machine, panel);
            REQUIRE(!tiles.empty());
            for (ProductTile tile : tiles) {
                REQUIRE(tile.rows * tile.vectors + tile.vectors + machine.spare <= machine.registers);
                REQUIRE(panel % tile.vectors == 0);
            }
            ProductShape shape{128, 512, 784, 1, panel, false, machine.lanes(Dtype::f32)};
            ProductTile best = cheapest_tile(shape, machine);
            REQUIRE(std::find(tiles.begin(), tiles.end(), best) != tiles.end());
            for (ProductTile tile : tiles)
                REQUIRE(product_cycles(shape, tile, machine) >= 0.998 * product_cycles(shape, best, machine));
            REQUIRE(product_cycles(shape, best, machine) >= ideal_cycles(shape, machine));
        }
}

TEST_CASE("every tile of the search space gives the evaluator's result") {
    std::mt19937 random(7);
    for (loop::Isa isa : all_isas)
        for (ProductTile tile : product_tiles(machine_of(isa), 0))
            for (int repeat = 0; repeat < 3; ++repeat) {
                ProductCase each = random_case(random);
                INFO(each.text() << ", tile " << tile.rows << " x " << tile.vectors << ", isa " << int(isa));
                int64_t pieces = 1 + int64_t(random() % 4), more = int64_t(random() % 20);
                std::string error =
                    ProductProgram(each, random)
                        .error({.batch = each.sizes[0] + more, .pieces = pieces, .isas = {isa}, .lower = {tile}});
                CHECK(error == "");
            }
}

TEST_CASE("blocks of a deep product give the evaluator's result, and the same bits for any division of work") {
    std::mt19937 random(19);
    for (loop::Isa isa : all_isas)
        for (auto [rows, columns, depth] : {std::array<int64_t, 3>{64, 33, 1000}, {70, 17, 1013}, {131, 20, 1024}}) {
            ProductCase each{{rows, depth, columns, 1}, {1, 0}, {1, 2}};
            ProductProgram program(each, random);
            INFO(each.text() << ", isa " << int(isa));
            CHECK(program.error({.batch = 1, .pieces = 3, .tolerance = 1e-4, .isas = {isa}}) == "");
            CHECK(program.bits(isa, 1, 1, 1) == program.bits(isa, 1, 1, 2));
        }
}

TEST_CASE("operands of a deep product may be broadcast, or share the columns") {
    std::mt19937 random(29);
    Environment environment;
    auto field = [&](Graph& graph, const char* name, Shape shape) {
        Tensor tensor{shape, {}};
        for (int64_t i = count(shape, 1); i > 0; --i) tensor.values.push_back(double(int(random() % 201) - 100) / 64);
        environment.fields[name] = tensor;
        return graph.add(Op::input, {Dtype::f32, shape}, {}, Input{Input::Source::field, name, 0, -1});
    };
    auto error = [&](const Graph& graph) {
        return disagreement(graph, environment, {.batch = 1, .rows = 1, .pieces = 2, .tolerance = 1e-4});
    };
    Graph spread(std::make_shared<PrimitiveTable>());
    NodeId x = field(spread, "x", {1000, 64}),
           d = build::broadcast_to(spread, field(spread, "d", {1000, 1}), {1000, 20});
    spread.outputs.push_back({"out", build::contract(spread, x, d, {{0, 1}, {0, 2}, {1, 2}})});
    CHECK(error(spread) == "");
    Graph shared(std::make_shared<PrimitiveTable>());
    NodeId a = field(shared, "a", {1000, 17}), b = field(shared, "b", {1000, 17, 64});
    shared.outputs.push_back({"out", build::contract(shared, a, b, {{0, 1}, {0, 1, 2}, {2, 1}})});
    CHECK(error(shared) == "");
}

TEST_CASE("a row's bits do not depend on other rows") {
    std::mt19937 random(11);
    for (loop::Isa isa : all_isas)
        for (auto [batch, columns] : {std::pair<int64_t, int64_t>{29, 40}, {26, 70}, {7, 100}, {1, 300}}) {
            ProductCase each{{batch, 40, columns, 1}, {0, 1}, {1, 2}, true, true};
            ProductProgram program(each, random);
            std::vector<double> all = program.bits(isa, batch, batch, 1);
            for (int64_t n = 1; n < batch; ++n) {
                std::vector<double> some = program.bits(isa, batch, n, 1 + n % 3);
                INFO(each.text() << ", " << n << " rows, isa " << int(isa));
                REQUIRE(some.size() == size_t(n * columns));
                CHECK(std::equal(some.begin(), some.end(), all.begin()));
            }
        }
}

TEST_CASE("a product's bits are the same for any division of work") {
    std::mt19937 random(13);
    for (loop::Isa isa : all_isas)
        for (int repeat = 0; repeat < 12; ++repeat) {
            ProductCase each = random_case(random);
            if (repeat == 0) each = {{1, 64, 300, 1}, {0, 1}, {1, 2}, true, true};
            ProductProgram program(each, random);
            int64_t count = each.counted ? each.sizes[0] : 1;
            std::vector<double> integer = program.bits(isa, count, count, 1);
            for (int64_t pieces : {2, 3, 7}) {
                INFO(each.text() << ", " << pieces << " pieces, isa " << int(isa));
                CHECK(program.bits(isa, count, count, pieces) == integer);
            }
        }
}

TEST_CASE("groups of rows give the evaluator's result, and the same bits for any division of work") {
    std::mt19937 random(23);
    for (loop::Isa isa : all_isas)
        for (bool counted : {false, true}) {
            ProductCase each{{531, 257, 70, 1}, {0, 1}, {1, 2}, counted, counted};
            ProductProgram program(each, random);
            INFO(each.text() << ", isa " << int(isa));
            int64_t batch = counted ? 540 : 1;
            CHECK(program.error({.batch = batch, .pieces = 5, .isas = {isa}}) == "");
            CHECK(program.bits(isa, counted ? 531 : 1, counted ? 531 : 1, 1) ==
                  program.bits(isa, batch, counted ? 531 : 1, 3));
        }
}

TEST_CASE("a variable updated in a product's store has the evaluator's value, with fewer rows too") {
    std::mt19937 random(17);
    auto drawn = [&](Shape shape) {
        Tensor tensor{shape, {}};
        fill(tensor, random);
        return tensor;
    };
    for (loop::Isa isa : all_isas)
        for (ProductTile tile : product_tiles(machine_of(isa), 4)) {
            int64_t batch = 1 + int64_t(random() % 160), in = 1 + int64_t(random() % 30);
            int64_t out = 2 + int64_t(random() % 130);
            Environment environment;
            environment.rows = 1 + int64_t(random() % uint64_t(batch));
            environment.fields = {{"x", drawn({environment.rows, in})}, {"d", drawn({environment.rows, out})}};
            environment.variables = {{"w", drawn({in, out})}};
            Graph graph(std::make_shared<PrimitiveTable>());
            auto field = [&](const char* name, int64_t size) {
                return graph.add(Op::input, {Dtype::f32, {rows, size}}, {}, Input{Input::Source::field, name, 0, -1});
            };
            NodeId x = field("x", in), d = field("d", out), w = build::variable(graph, "w", {Dtype::f32, {in, out}});
            graph.outputs.push_back({"y", build::contract(graph, x, w, {{0, 1}, {1, 2}, {0, 2}})});
            NodeId gradient = build::contract(graph, x, d, {{0, 1}, {0, 2}, {1, 2}});
            NodeId updated = build::elementwise(graph, Primitive::subtract, {w, gradient});
            graph.outputs.push_back({"w", build::assign(graph, "w", updated)});
            INFO(environment.rows << " of " << batch << " rows, " << in << " x " << out << ", tile " << tile.rows
                                  << " x " << tile.vectors << ", isa " << int(isa));
            int64_t pieces = 1 + int64_t(random() % 4);
            std::string error = disagreement(
                graph, environment,
                {.batch = batch, .rows = environment.rows, .pieces = pieces, .isas = {isa}, .lower = {tile}});
            CHECK(error == "");
        }
}
