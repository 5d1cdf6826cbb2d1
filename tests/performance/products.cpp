// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Products of many shapes, compiled with a model's layouts (weights in panels, activations padded) and run by one
// thread of this process. Prints the tile of the cost model, the predicted and the measured time, the share of
// multiply-adds in registers, and whether another tile is faster. `measure_products [--isa NAME] [--quick] [WORD..]`:
// only shapes whose line has the word; --quick: no other tiles.
#include "compiler/graph/build.h"
#include "compiler/program/lower.h"
#include "compiler/program/product/product.h"
#include "compiler/target/compile.h"
#include "compiler/target/engine.h"
#include "compiler/target/machine.h"
#include "runtime/base/console.h"
#include "runtime/base/peak.h"
#include "tests/performance/product_shapes.h"
#include <cstring>
#include <ctime>
#include <fmt/format.h>
#include <sys/mman.h>

using namespace gradc;

namespace {

struct NoMath : MathLibrary {
    const Graph* definition(Primitive, Dtype) const override { return nullptr; }
};

NodeId field(Graph& graph, const std::string& name, Shape shape) {
    NodeId input = graph.add(Op::input, {Dtype::f32, shape}, {}, Input{Input::Source::field, name, 0, -1});
    // Scaled, and so stored by the program itself: an activation.
    NodeId half = build::broadcast_to(graph, build::constant(graph, 0.5), shape);
    return build::elementwise(graph, Primitive::multiply, {input, half});
}

/// Reads all of a value, so that it has to be stored as an activation.
void use(Graph& graph, NodeId value) {
    std::vector<int> axes;
    for (size_t i = 0; i < graph.type(value).shape.size(); ++i) axes.push_back(int(i));
    graph.outputs.push_back({"sum", build::sum(graph, value, axes)});
}

/// The product as it occurs in a training step; `reader` has the weight read by a forward product, so that it lies in
/// panels.
std::vector<NamedGraph> graphs_of(const MeasuredProduct& p) {
    auto primitives = std::make_shared<PrimitiveTable>();
    Graph graph(primitives), reader(primitives);
    auto weight = [](Graph& in, int64_t k, int64_t n) { return build::variable(in, "w", {Dtype::f32, {k, n}}); };
    switch (p.form) {
    case MeasuredProduct::Form::nn:
        use(graph,
            build::contract(graph, field(graph, "x", {rows, p.k}), weight(graph, p.k, p.n), {{0, 1}, {1, 2}, {0, 2}}));
        break;
    case MeasuredProduct::Form::nt:
        use(graph,
            build::contract(graph, field(graph, "x", {rows, p.k}), weight(graph, p.n, p.k), {{0, 1}, {2, 1}, {0, 2}}));
        break;
    case MeasuredProduct::Form::tn: {
        NodeId x = field(graph, "x", {rows, p.m}), y = field(graph, "y", {rows, p.n});
        NodeId gradient = build::contract(graph, x, y, {{1, 0}, {1, 2}, {0, 2}});
        graph.outputs.push_back({"w", build::assign(graph, "w", gradient)});
        use(reader, build::contract(reader, field(reader, "x", {rows, p.m}), weight(reader, p.m, p.n),
                                    {{0, 1}, {1, 2}, {0, 2}}));
        return {{"product", graph}, {"reader", reader}};
    }
    case MeasuredProduct::Form::batched:
        use(graph, build::contract(graph, field(graph, "x", {rows, p.m, p.k}), field(graph, "y", {rows, p.k, p.n}),
                                   {{3, 0, 1}, {3, 1, 2}, {3, 0, 2}}));
    }
    return {{"product", graph}};
}

target::Metadata metadata_of(const loop::Module& module) {
    using Role = loop::Buffer::Role;
    target::Metadata metadata;
    metadata.name = "products";
    for (size_t i = 0; i < module.buffers.size(); ++i) {
        const loop::Buffer& buffer = module.buffers[i];
        if (buffer.role == Role::field)
            metadata.tensors.push_back({buffer.name, buffer.name, GRADC_FIELD, loop::BufferId(i)});
        if (buffer.role == Role::variable)
            metadata.tensors.push_back({buffer.name, buffer.name, GRADC_PARAMETER, loop::BufferId(i)});
    }
    return metadata;
}

/// Memory like a trainer's arena: large pages if the system has them.
class LargePages {
public:
    explicit LargePages(int64_t bytes) : size_((size_t(bytes) + 64 + page - 1) / page * page) {
        memory_ = std::aligned_alloc(page, size_);
        madvise(memory_, size_, MADV_HUGEPAGE);
        std::memset(memory_, 0, size_);
    }
    LargePages(const LargePages&) = delete;
    ~LargePages() { std::free(memory_); }
    unsigned char* base() const { return static_cast<unsigned char*>(memory_); }

private:
    static constexpr size_t page = 2 << 20;
    size_t size_;
    void* memory_;
};

/// Seconds that this thread ran: others that use the machine take none of it.
double own_time() {
    timespec at{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
    return double(at.tv_sec) + 1e-9 * double(at.tv_nsec);
}

struct Way { // one tile of one shape
    ProductTile tile;
    double predicted_share = 0;
    double seconds = 1e30;
    double peak = 1; // operations a second just before or just after the fastest time, whichever is higher
};

struct Measured {
    bool product = false;
    std::vector<Way> ways; // the chosen one first
    int64_t panel = 0;
};

/// Tiles to compare with: for each width the smallest and the largest number of rows that fill the multipliers.
std::vector<ProductTile> rivals(const ProductShape& shape, const Machine& machine, ProductTile chosen) {
    std::vector<ProductTile> result{chosen};
    EvenSplit before = split_evenly(shape.rows, chosen.rows);
    for (int vectors = 4; vectors >= 1; --vectors) {
        bool widest = true;
        for (ProductTile tile : product_tiles(machine, shape.panel_vectors)) {
            if (tile.vectors != vectors || !widest) continue;
            widest = false;
            tile.rows = int(split_evenly(shape.rows, tile.rows).longer);
            bool same = tile.vectors == chosen.vectors && before.longer == tile.rows;
            if (!same) result.push_back(tile);
        }
    }
    return result;
}

class Measurement {
public:
    Measurement(const MeasuredProduct& product, loop::Isa isa, bool alone)
        : isa_(isa), plan_(make_plan(graphs_of(product), options(product))) {
        kernel_ = 0;
        const auto& kernels = plan_.programs[0].kernels;
        while (kernel_ < kernels.size() && kernels[kernel_].kind != FusedKernel::Kind::product) ++kernel_;
        if (kernel_ == kernels.size()) return;
        result.product = true;
        choose(alone);
        compile(product);
        time();
    }
    Measured result;

private:
    static PlanOptions options(const MeasuredProduct& product) {
        PlanOptions all;
        all.name = "products";
        all.batch = product.batch();
        return all;
    }

    void choose(bool alone) {
        const std::vector<bool> members = stored_members(plan_.programs[0]);
        Surroundings around{plan_, plan_.programs[0], nullptr, members, machine_of(isa_)};
        int lanes = around.machine.lanes(Dtype::f32);
        const FusedKernel& kernel = plan_.programs[0].kernels[kernel_];
        ProductSchedule schedule = schedule_product(kernel, around, lanes);
        ProductShape shape = product_shape(kernel, around, schedule, lanes);
        result.panel = shape.panel_vectors;
        std::vector<ProductTile> tiles{schedule.tile};
        if (!alone) tiles = rivals(shape, around.machine, schedule.tile);
        for (ProductTile tile : tiles)
            result.ways.push_back(
                {tile, ideal_cycles(shape, around.machine) / product_cycles(shape, tile, around.machine)});
    }

    /// One module, the program once for each tile.
    void compile(const MeasuredProduct& product) {
        loop::Module module = lower(plan_, {isa_}, NoMath());
        module.programs.clear();
        for (size_t i = 0; i < result.ways.size(); ++i) {
            loop::Module one = lower(plan_, {isa_}, NoMath(), {result.ways[i].tile});
            one.programs[0][size_t(isa_)]->name = fmt::format("tile{}", i);
            module.programs.push_back(one.programs[0]);
            for (size_t b = plan_.buffers.size(); b < one.buffers.size();
                 ++b) { // local ones, as large as any tile wants
                if (b == module.buffers.size()) module.buffers.push_back(one.buffers[b]);
                if (one.buffers[b].size > module.buffers[b].size) module.buffers[b] = one.buffers[b];
            }
        }
        engine_.emplace(target::load_object(target::object(module, metadata_of(module))));
        const gradc_module& table = engine_->module();
        for (int32_t t = 0; t < table.tensor_count; ++t) {
            const gradc_tensor& tensor = table.tensors[t];
            int64_t elements = 1;
            for (int32_t i = 0; i < tensor.rank; ++i) elements *= tensor.shape[i];
            std::vector<double> values;
            for (int64_t i = 0; i < elements; ++i) values.push_back(double((i * 37 + 11) % 101 - 50) / 50);
            engine_->write(t, values, product.batch());
        }
        arena_ = std::make_unique<LargePages>(table.arena_bytes);
        std::memcpy(arena_->base(), engine_->arena(), size_t(table.arena_bytes));
        sizes_[0] = product.batch();
        for (int32_t k = 0; k < table.programs[0].kernel_count; ++k) call(table.programs[0].kernels[k]);
    }

    void call(const gradc_kernel& kernel) {
        const gradc_extent& items = kernel.code->extents[size_t(isa_)];
        int64_t extent = items.fixed + (sizes_[0] * items.per_row + items.divisor - 1) / items.divisor;
        const uint32_t* arguments = kernel.arguments + int64_t(isa_) * kernel.argument_distance;
        kernel.code->functions[size_t(isa_)](arena_->base(), sizes_, arguments, 0, extent);
    }

    /// The fastest of many rounds, tiles in turn; a round lasts a tenth of a millisecond or more.
    void time() {
        const gradc_module& table = engine_->module();
        double begin = runtime::now(), limit = result.ways.size() > 1 ? 0.25 : 0.08;
        double peak = runtime::measure_peak(int(isa_), false, nullptr);
        std::vector<int> repeats;
        for (size_t i = 0; i < result.ways.size(); ++i) {
            const gradc_kernel& kernel = table.programs[i].kernels[kernel_];
            double start = own_time();
            for (int k = 0; k < 3; ++k) call(kernel);
            repeats.push_back(1 + int(1e-4 / ((own_time() - start) / 3)));
        }
        for (int round = 0; round < 7 || runtime::now() - begin < limit; ++round)
            for (size_t i = 0; i < result.ways.size(); ++i) {
                const gradc_kernel& kernel = table.programs[i].kernels[kernel_];
                call(kernel);
                double start = own_time();
                for (int k = 0; k < repeats[i]; ++k) call(kernel);
                double seconds = (own_time() - start) / repeats[i], before = peak;
                peak = runtime::measure_peak(int(isa_), false, nullptr);
                if (seconds < result.ways[i].seconds) {
                    result.ways[i].seconds = seconds;
                    result.ways[i].peak = std::max(before, peak);
                }
            }
    }

    loop::Isa isa_;
    Plan plan_;
    size_t kernel_;
    std::optional<target::Engine> engine_;
    std::unique_ptr<LargePages> arena_;
    int64_t sizes_[17] = {};
};

std::string tile_text(ProductTile tile, int lanes) { return fmt::format("{}x{}", tile.rows, tile.vectors * lanes); }

struct Tally {
    double sum = 0, least = 1;
    int count = 0, below = 0;
    void add(double share) {
        sum += share;
        least = std::min(least, share);
        ++count;
        below += share < 0.8;
    }
};

/// One line; returns the share of the peak.
double print_line(const MeasuredProduct& product, const Measured& measured, int lanes) {
    const Way& chosen = measured.ways[0];
    auto share = [&](const Way& way) { return product.flops() / way.seconds / way.peak; };
    const Way* best = &chosen;
    for (const Way& way : measured.ways)
        if (way.seconds < best->seconds) best = &way;
    std::string other = "-";
    if (best != &chosen) other = fmt::format("{} {:.1f} %", tile_text(best->tile, lanes), 100 * share(*best));
    if (share(*best) > 1.03 * share(chosen)) other += "  faster";
    fmt::print("{:8} {:26} {:>6} {:>10.2f} {:>10.2f} {:>7.1f} %   {}\n", product.form_text(), product.text(),
               tile_text(chosen.tile, lanes), 1e6 * product.flops() / chosen.peak / chosen.predicted_share,
               1e6 * chosen.seconds, 100 * share(chosen), other);
    std::fflush(stdout);
    return share(chosen);
}

} // namespace

int main(int argc, char** argv) {
    loop::Isa isa = target::host_isas().back();
    bool alone = false;
    std::vector<std::string> words;
    for (int i = 1; i < argc; ++i) {
        std::string word = argv[i];
        if (word == "--quick") alone = true;
        else if (word == "--isa" && i + 1 < argc && target::find_isa(argv[i + 1], isa)) ++i;
        else words.push_back(word);
    }
    if (!target::host_has(isa)) return fmt::print(stderr, "this processor has no {}\n", target::machine(isa).name), 2;
    int lanes = machine_of(isa).lanes(Dtype::f32);
    fmt::print("{}, multiply-adds alone: {:.1f} GFLOP/s; shares are of what they reach beside each product\n",
               target::machine(isa).name, runtime::measure_peak(int(isa), false, nullptr) / 1e9);
    fmt::print("{:8} {:26} {:>6} {:>10} {:>10} {:>9}   {}\n", "form", "rows x depth x columns", "tile", "model us",
               "us", "of peak", "fastest other tile");
    Tally named, all;
    for (const MeasuredProduct& product : measured_products()) {
        std::string line = product.form_text() + " " + product.text();
        bool wanted = words.empty();
        for (const std::string& word : words) wanted |= line.find(word) != std::string::npos;
        if (!wanted) continue;
        Measurement measurement(product, isa, alone);
        if (!measurement.result.product) {
            fmt::print("{:8} {:26} no tiles: a loop\n", product.form_text(), product.text());
            continue;
        }
        double share = print_line(product, measurement.result, lanes);
        all.add(share);
        if (product.named) named.add(share);
    }
    for (auto [tally, what] : {std::pair(&named, "the 24 products of training"), {&all, "all"}})
        if (tally->count)
            fmt::print("{}: {} shapes, mean {:.1f} %, least {:.1f} %, {} below 80 %\n", what, tally->count,
                       100 * tally->sum / tally->count, 100 * tally->least, tally->below);
    if (named.count) {
        bool met = named.sum / named.count >= 0.9 && named.below == 0;
        fmt::print("bar: mean of the 24 at least 90 %, none below 80 %: {}\n", met ? "met" : "not met");
    }
    return 0;
}
