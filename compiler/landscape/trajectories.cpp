// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// All blocks are compiled into one module; a session runs them one after another. The landscape is the loss of the
// first block's step over all rows, with both parameters set before each step.
#include "compiler/landscape/trajectories.h"
#include "compiler/target/compile.h"
#include "compiler/target/engine.h"
#include "compiler/util/files.h"
#include "dsl/parser.h"
#include "runtime/base/files.h"
#include "runtime/base/isa.h"
#include "runtime/base/tensor.h"
#include "runtime/commands/trainer.h"
#include "runtime/data/loader.h"
#include "runtime/train/formulas.h"
#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace gradc {
namespace {

using runtime::Clock;
using runtime::Error;
using runtime::Loader;

constexpr int landscape_side = 96;
constexpr int64_t most_steps = 100'000;

/// The texts of the `optimizer` lines of the train blocks, in order.
std::vector<std::string> optimizer_texts(const Front& front) {
    Diagnostics ignored;
    ast::Module module = parse(front.sources, front.main, ignored);
    std::vector<std::string> result;
    for (const ast::Item& item : module.items) {
        auto train = std::get_if<ast::Train>(&item.node);
        if (!train) continue;
        std::string& text = result.emplace_back();
        for (const ast::TrainItem& line : train->items)
            if (auto setting = std::get_if<ast::Setting>(&line.node);
                setting && setting->key == "optimizer" && text.empty())
                text = front.sources.text(setting->value->span);
    }
    return result;
}

/// The two parameters that every block updates. An error if they are not two scalars, the same in all blocks.
bool find_parameters(const TrainingJob& job, std::vector<std::string>& names, std::string& error) {
    if (job.blocks.empty()) {
        error = fmt::format("{} has no train block", job.name);
        return false;
    }
    for (const TrainBlock& block : job.blocks) {
        std::vector<std::string> own;
        bool scalars = true;
        for (NodeId id : block.parameters) {
            own.push_back(attribute<VariableName>(block.forward[id]).path);
            scalars = scalars && block.forward.type(id).shape.empty();
        }
        if (names.empty()) names = own;
        bool same = std::is_permutation(own.begin(), own.end(), names.begin(), names.end());
        if (own.size() == 2 && scalars && same) continue;
        error = fmt::format("trajectories are drawn in a plane: every train block must update the same two scalar "
                            "parameters; {} updates {}",
                            block.name, own.empty() ? "none" : fmt::format("{}", fmt::join(own, ", ")));
        return false;
    }
    return true;
}

class PathRuns {
public:
    PathRuns(const Front& front, const TrajectoryOptions& options) : front_(front), options_(options) {}

    bool start(std::string& error) {
        if (!find_parameters(*front_.job, names_, error)) return false;
        CompileOptions native = options_.compile;
        native.isa = "native";
        StageTimes times;
        Compiled compiled = compile(*front_.job, native, front_.sources, times);
        engine_ = target::load_object(target::object(compiled.module, compiled.metadata));
        const gradc_module& module = engine_->module();
        Error failed;
        session_.emplace(module);
        int isa = runtime::choose_isa(module, "", failed);
        bool good = isa >= 0 && session_->start(isa, 1, int64_t(options_.seed), failed) && load_data(failed);
        if (!good) {
            error = failed.message;
            return false;
        }
        set_flags(*session_, runtime::written_settings(module));
        for (const std::string& name : names_)
            parameters_.push_back(runtime::find_tensor(module, GRADC_PARAMETER, name));
        return true;
    }

    PathPanel panel(int number, const std::string& optimizer) {
        const TrainBlock& block = front_.job->blocks[size_t(number)];
        PathPanel result{block.name, optimizer, {}};
        result.paths.push_back(path(number, own_rows(block)));
        if (has_data_ && options_.beside > 0 && options_.beside < own_rows(block))
            result.paths.push_back(path(number, options_.beside));
        return result;
    }

    /// "straight: 60 steps".
    std::string title() const { return fmt::format("{}: {} steps", names_[0].substr(0, names_[0].find('.')), steps()); }

    Landscape landscape(const std::vector<PathPanel>& panels) {
        Landscape result;
        result.x_name = last_part(names_[0]);
        result.y_name = last_part(names_[1]);
        frame(panels, result);
        result.side = landscape_side;
        for (int row = 0; row <= result.side; ++row)
            for (int column = 0; column <= result.side; ++column)
                result.losses.push_back(loss_at({result.x_low + (result.x_high - result.x_low) * column / result.side,
                                                 result.y_low + (result.y_high - result.y_low) * row / result.side}));
        return result;
    }

private:
    bool load_data(Error& error) {
        const gradc_dataset* table = runtime::training_data(engine_->module());
        if (!table) return true;
        const CompileOptions& compile = options_.compile;
        std::string first = compile.data_folders.empty() ? "" : compile.data_folders[0];
        runtime::Places places = compile.confined ? runtime::Places::confined_to({first, folder_of(compile.model)})
                                                  : runtime::Places::standard(first);
        has_data_ = true;
        if (!runtime::load_dataset(*table, places, int64_t(options_.seed), dataset_, error)) return false;
        runtime::make_room_for_formulas(engine_->module(), dataset_);
        return true;
    }
    runtime::Dataset* data() { return has_data_ ? &dataset_ : nullptr; }
    int64_t all_rows() const {
        return has_data_ ? int64_t(dataset_.splits[size_t(dataset_.training_split())].rows.size()) : 0;
    }
    int64_t own_rows(const TrainBlock& block) const { return block.batch_all ? all_rows() : block.batch; }

    static std::string last_part(const std::string& path) { return path.substr(path.rfind('.') + 1); }

    Place2 place() const { return {session_->scalar(*parameters_[0]), session_->scalar(*parameters_[1])}; }

    void move_to(size_t parameter, double value) {
        const gradc_tensor& tensor = *parameters_[parameter];
        float narrow = float(value);
        bool wide = tensor.dtype == GRADC_F64;
        runtime::write_tensor(tensor, session_->arena(),
                              wide ? reinterpret_cast<unsigned char*>(&value)
                                   : reinterpret_cast<unsigned char*>(&narrow));
    }

    /// The number of steps of the first block, which holds for all blocks.
    int64_t steps() const {
        const TrainBlock& block = front_.job->blocks[0];
        if (options_.steps > 0) return options_.steps;
        if (block.steps > 0) return std::min(block.steps, most_steps);
        int64_t rows = own_rows(block);
        return std::min(block.epochs * (rows > 0 ? (all_rows() + rows - 1) / rows : 1), most_steps);
    }

    std::string rows_text(int64_t rows) const {
        return fmt::format("{}{} row{} per step", rows == all_rows() ? "all " : "", rows, rows == 1 ? "" : "s");
    }

    void start() {
        draw_start(*session_, data());
        if (has_data_) runtime::compute_formulas(*session_, dataset_);
    }

    WalkedPath path(int number, int64_t rows) {
        const gradc_block& table = engine_->module().blocks[number];
        start();
        WalkedPath result{has_data_ ? rows_text(rows) : "", {place()}, false};
        std::optional<Loader> loader;
        if (has_data_)
            loader.emplace(engine_->module(), dataset_, dataset_.training_split(), table.order, int64_t(options_.seed));
        double first = loss_at(place());
        int64_t steps = this->steps(), epoch = -1;
        start();
        for (int64_t step = 1; step <= steps; ++step) {
            if (loader && (epoch < 0 || loader->at_end())) loader->begin(++epoch);
            int64_t now = loader ? loader->next(rows, session_->arena()) : rows;
            if (!loader) runtime::number_rows(engine_->module(), session_->arena(), rows);
            session_->run(table.step, now, Clock{double(step), double(steps), double(std::max<int64_t>(epoch, 0) + 1)});
            Place2 reached = place();
            if (!std::isfinite(reached.x) || !std::isfinite(reached.y)) break;
            result.places.push_back(reached);
        }
        bool arrived = int64_t(result.places.size()) == steps + 1 && loss_at(result.places.back()) <= first;
        result.diverged = !arrived;
        return result;
    }

    /// The loss of the first block's step over all rows. The step updates the parameters, so no path may be running.
    double loss_at(Place2 at) {
        const gradc_block& table = engine_->module().blocks[0];
        int64_t batch = own_rows(front_.job->blocks[0]), total = 0;
        double sum = 0;
        std::optional<Loader> loader;
        if (has_data_) {
            loader.emplace(engine_->module(), dataset_, dataset_.training_split(), GRADC_FILE_ORDER,
                           int64_t(options_.seed));
            loader->begin(0);
        } else {
            runtime::number_rows(engine_->module(), session_->arena(), batch);
        }
        do {
            move_to(0, at.x), move_to(1, at.y);
            int64_t rows = loader ? loader->next(batch, session_->arena()) : batch;
            session_->run(table.step, rows, Clock{});
            sum += session_->loss(table.step) * double(rows);
            total += rows;
        } while (loader && !loader->at_end());
        return sum / double(total);
    }

    /// The range around the paths that did not diverge; around the initial point if all did.
    static void frame(const std::vector<PathPanel>& panels, Landscape& view) {
        Place2 start = panels[0].paths[0].places[0];
        view.x_low = view.x_high = start.x;
        view.y_low = view.y_high = start.y;
        for (const PathPanel& panel : panels)
            for (const WalkedPath& path : panel.paths)
                for (size_t i = 0; i < path.places.size() && !path.diverged; ++i) {
                    view.x_low = std::min(view.x_low, path.places[i].x);
                    view.x_high = std::max(view.x_high, path.places[i].x);
                    view.y_low = std::min(view.y_low, path.places[i].y);
                    view.y_high = std::max(view.y_high, path.places[i].y);
                }
        widen(view.x_low, view.x_high);
        widen(view.y_low, view.y_high);
    }
    static void widen(double& low, double& high) {
        double room = high > low ? 0.12 * (high - low) : 1;
        low -= room, high += room;
    }

    const Front& front_;
    const TrajectoryOptions& options_;
    std::vector<std::string> names_; // of the two parameters
    std::optional<target::Engine> engine_;
    std::optional<runtime::Session> session_;
    runtime::Dataset dataset_;
    bool has_data_ = false;
    std::vector<const gradc_tensor*> parameters_;
};

} // namespace

std::optional<TrajectoryPicture> walk_trajectories(const Front& front, const TrajectoryOptions& options,
                                                   std::string& error) {
    PathRuns runs(front, options);
    if (!runs.start(error)) return {};
    TrajectoryPicture picture{runs.title(), {}, {}};
    std::vector<std::string> optimizers = optimizer_texts(front);
    for (size_t i = 0; i < front.job->blocks.size(); ++i)
        picture.panels.push_back(runs.panel(int(i), optimizers.at(i)));
    picture.landscape = runs.landscape(picture.panels);
    return picture;
}

} // namespace gradc
