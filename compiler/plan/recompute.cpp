// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A choice of values is judged by the table that results from it: live ranges give the bytes at each step. Values are
// tried in groups; a group is twice as large after each success and half as large after each failure.
#include "compiler/plan/recompute.h"
#include <algorithm>
#include <numeric>

namespace gradc {

namespace {

constexpr double cheap_saving = 0.0625, free_saving = 1e9; // bytes for each operation
constexpr double shares[] = {1, 0.9, 0.8, 0.7, 0.6, 0.5};  // of a budget: a lower target may succeed first
constexpr int most_levels = 3;                             // levels of operands that are dropped with a value
constexpr int bisections = 6;                              // to find the smallest peak

} // namespace

Recomputation::Recomputation(const ProgramPlan& program, const std::vector<loop::Buffer>& buffers,
                             const std::vector<KernelAccesses>& accesses, int64_t batch)
    : program_(program), buffers_(buffers), accesses_(accesses), repeats_(program, buffers, batch) {
    note_items();
    note_values();
}

void Recomputation::note_items() {
    int depth = 0;
    for (size_t step = 0; step < program_.table.size(); ++step) {
        const loop::Step& at = program_.table[step];
        if (depth == 0) items_.push_back({step, step, {}, {}});
        Item& item = items_.back();
        item.end = step;
        depth += at.kind == loop::Step::Kind::loop_begin;
        depth -= at.kind == loop::Step::Kind::loop_end;
        if (at.kind != loop::Step::Kind::kernel) continue;
        for (const Access& access : accesses_[at.kernel].buffers) {
            if (access.reads) item.reads.push_back(access.buffer);
            if (access.writes) item.writes.push_back(access.buffer);
        }
    }
    for (Item& item : items_)
        for (auto* list : {&item.reads, &item.writes}) {
            std::sort(list->begin(), list->end());
            list->erase(std::unique(list->begin(), list->end()), list->end());
        }
}

void Recomputation::note_values() {
    values_.resize(buffers_.size());
    cheap_.assign(buffers_.size(), false);
    for (size_t i = 0; i < items_.size(); ++i) {
        for (size_t buffer : items_[i].reads) values_[buffer].uses.push_back(i);
        for (size_t buffer : items_[i].writes) values_[buffer].written.push_back(i);
        if (program_.table[items_[i].begin].kind == loop::Step::Kind::guard) loss_ = i;
    }
    for (size_t buffer = 0; buffer < values_.size(); ++buffer) {
        Value& value = values_[buffer];
        if (buffers_[buffer].role != loop::Buffer::Role::activation || value.written.size() != 1) continue;
        const loop::Step& maker = program_.table[items_[value.written[0]].begin];
        if (maker.kind != loop::Step::Kind::kernel) continue;
        Repeats::Part part = repeats_.part(
            maker.kernel, buffer, [&](size_t other) { return other != buffer; }, [](size_t) { return false; });
        if (part.members.empty()) continue;
        value.made = value.written[0];
        value.reads = part.reads;
        if (find_gap(value, part)) note_candidate(buffer, part);
    }
    std::stable_sort(candidates_.begin(), candidates_.end(), [&](size_t a, size_t b) {
        if (values_[a].saving != values_[b].saving) return values_[a].saving > values_[b].saving;
        return values_[a].made < values_[b].made;
    });
}

/// False if dropping the value frees nothing, or if it cannot be computed again.
bool Recomputation::find_gap(Value& value, const Repeats::Part& part) const {
    size_t before = *value.made;
    for (size_t use : value.uses) {
        if (use > before && use - before > value.gap_end - value.gap_begin)
            value.gap_begin = before, value.gap_end = use;
        before = use;
    }
    if (before < loss_) { // later readers are repeats only
        value.gap_begin = before, value.gap_end = items_.size();
        return true;
    }
    bool across = value.gap_begin < loss_ && loss_ < value.gap_end, postponed = postponable(value);
    return value.gap_end - value.gap_begin >= 2 && (loss_ == 0 || across || postponed) &&
           unchanged(part, *value.made, value.gap_end);
}

/// True if its kernel computes nothing else, so that it may run later.
bool Recomputation::postponable(const Value& value) const {
    return value.gap_begin == *value.made && items_[*value.made].writes.size() == 1;
}

void Recomputation::note_candidate(size_t buffer, const Repeats::Part& part) {
    Value& value = values_[buffer];
    double work = part.operations; // a byte that is moved takes about as long as an operation
    for (const auto* list : {&part.reads, &part.writes})
        for (size_t each : *list) work += double(buffers_[each].size);
    value.saving = postponable(value) ? free_saving : double(buffers_[buffer].size) / work;
    cheap_[buffer] = value.gap_end == items_.size() && value.saving >= cheap_saving;
    if (!cheap_[buffer]) candidates_.push_back(buffer);
}

/// True if the reads of the part have the same values at item `now` as at item `made`, where its kernel ran.
bool Recomputation::unchanged(const Repeats::Part& part, size_t made, size_t now) const {
    return std::all_of(part.reads.begin(), part.reads.end(), [&](size_t buffer) {
        const Value& value = values_[buffer];
        auto next = std::lower_bound(value.written.begin(), value.written.end(), made);
        return value.made || next == value.written.end() || *next >= now;
    });
}

/// The table in which the values of a choice are dropped, and computed again before their readers.
class Recomputation::Scheduler {
public:
    Scheduler(Recomputation& all, const std::vector<bool>& dropped)
        : all_(all), dropped_(dropped), there_until_(all.values_.size(), -1), first_(all.items_.size(), true) {}

    Trial run() {
        std::vector<size_t> begins;
        for (now_ = 0; now_ < all_.items_.size(); ++now_) {
            const Item& item = all_.items_[now_];
            begins.push_back(trial_.table.size());
            for (size_t buffer : item.reads) make(buffer);
            for (size_t step = item.begin; step <= item.end && !postponed(item); ++step)
                trial_.table.push_back(all_.program_.table[step]);
            for (size_t buffer : item.writes) {
                const Value& value = all_.values_[buffer];
                if (value.made) there_until_[buffer] = dropped_[buffer] ? int64_t(value.gap_begin) : INT64_MAX;
            }
        }
        begins.push_back(trial_.table.size());
        std::vector<int64_t> bytes =
            bytes_at_steps(allocations_of(trial_.table, all_.accesses_, all_.buffers_, false), trial_.table.size());
        for (size_t i = 0; i + 1 < begins.size(); ++i)
            trial_.bytes.push_back(
                *std::max_element(bytes.begin() + long(begins[i]), bytes.begin() + long(begins[i + 1])));
        return std::move(trial_);
    }

private:
    struct Task {    // to be run before the current item
        size_t made; // the item that ran it first
        uint32_t kernel;
        Repeats::Part part;
        size_t next = 0; // of part.reads, to be computed before
    };

    /// Runs for the first time before the first reader of its only value.
    bool postponed(const Item& item) const {
        return item.writes.size() == 1 && all_.values_[item.writes[0]].made && dropped_[item.writes[0]] &&
               all_.postponable(all_.values_[item.writes[0]]);
    }

    bool there(size_t buffer) const {
        const Value& value = all_.values_[buffer];
        return !value.made || *value.made >= now_ || there_until_[buffer] >= int64_t(now_);
    }

    void make(size_t buffer) {
        add_task(buffer);
        while (!tasks_.empty()) {
            Task& task = tasks_.back();
            if (task.next < task.part.reads.size()) {
                add_task(task.part.reads[task.next++]);
                continue;
            }
            trial_.table.push_back({loop::Step::Kind::kernel, number(task)});
            for (size_t made : task.part.writes)
                there_until_[made] =
                    int64_t(std::max(now_, all_.values_[made].made ? all_.values_[made].last() : now_));
            tasks_.pop_back();
        }
    }

    /// Number of the kernel that runs: the program's own if it was postponed, else a repeat.
    uint32_t number(const Task& task) {
        const Item& item = all_.items_[task.made];
        if (postponed(item) && first_[task.made]) {
            first_[task.made] = false;
            return task.kernel;
        }
        return uint32_t(all_.program_.kernels.size() + all_.repeats_.number(task.kernel, task.part, all_.accesses_));
    }

    /// nullopt if the value is available, or if it would differ if computed now: then it is kept.
    void add_task(size_t buffer) {
        if (there(buffer)) return;
        size_t made = *all_.values_[buffer].made;
        uint32_t kernel = all_.program_.table[all_.items_[made].begin].kernel;
        auto has_readers = [&](size_t other) { return !there(other) && all_.values_[other].last() >= now_; };
        Repeats::Part part =
            all_.repeats_.part(kernel, buffer, [&](size_t other) { return there(other); }, has_readers);
        if (all_.unchanged(part, made, now_)) tasks_.push_back({made, kernel, std::move(part)});
    }

    Recomputation& all_;
    const std::vector<bool>& dropped_;
    std::vector<int64_t> there_until_; // by buffer: the last item at which it is available
    std::vector<bool> first_;          // by item: of a postponed kernel, before its first run
    std::vector<Task> tasks_;
    Trial trial_;
    size_t now_ = 0; // item
};

Recomputation::Trial Recomputation::trial(const std::vector<bool>& dropped) { return Scheduler(*this, dropped).run(); }

int64_t Recomputation::Trial::excess(int64_t most) const {
    int64_t sum = 0;
    for (int64_t each : bytes) sum += std::max<int64_t>(0, each - most);
    return sum;
}

bool Recomputation::improves(const Trial& before, const Trial& after, int64_t most) {
    for (size_t i = 0; i < before.bytes.size(); ++i)
        if (after.bytes[i] > std::max(most, before.bytes[i])) return false;
    return after.excess(most) < before.excess(most);
}

bool Recomputation::covers_excess(size_t buffer, const Trial& now, int64_t most) const {
    const Value& value = values_[buffer];
    for (size_t i = value.gap_begin + 1; i < value.gap_end; ++i)
        if (now.bytes[i] > most) return true;
    return false;
}

/// Drops a value, and `levels` levels of its operands that nothing else would read then.
void Recomputation::drop(size_t buffer, int levels, std::vector<bool>& dropped) const {
    dropped[buffer] = true;
    if (levels == 0) return;
    for (size_t input : values_[buffer].reads)
        if (values_[input].made && values_[input].gap_end == items_.size() && !dropped[input])
            drop(input, levels - 1, dropped);
}

/// Goes once through the candidates; true if any was dropped.
bool Recomputation::drop_all(std::vector<bool>& dropped, Trial& now, int64_t most, int levels) {
    std::vector<size_t> open;
    for (size_t buffer : candidates_)
        if (!dropped[buffer]) open.push_back(buffer);
    bool any = false;
    size_t group = 1;
    for (size_t begin = 0; begin < open.size() && now.excess(most) > 0;) {
        if (!covers_excess(open[begin], now, most)) {
            ++begin;
            continue;
        }
        size_t end = std::min(open.size(), begin + group);
        std::vector<bool> next = dropped;
        for (size_t i = begin; i < end; ++i)
            if (covers_excess(open[i], now, most)) drop(open[i], levels, next);
        Trial after = trial(next);
        bool better = improves(now, after, most), enough = after.excess(most) == 0;
        if ((!better || enough) && end - begin > 1) { // fewer may be enough
            group = (end - begin) / 2;
            continue;
        }
        if (better) {
            dropped = std::move(next);
            now = std::move(after);
            any = true;
        }
        begin = end;
        group = better ? group * 2 : 1;
    }
    return any;
}

/// Keeps values that need not be dropped, the most expensive first.
void Recomputation::keep_again(std::vector<bool>& dropped, Trial& now, int64_t most) {
    std::vector<size_t> open;
    for (auto buffer = candidates_.rbegin(); buffer != candidates_.rend(); ++buffer)
        if (dropped[*buffer]) open.push_back(*buffer);
    size_t group = 1;
    for (size_t begin = 0; begin < open.size();) {
        size_t end = std::min(open.size(), begin + group);
        std::vector<bool> next = dropped;
        for (size_t i = begin; i < end; ++i) next[open[i]] = false;
        Trial after = trial(next);
        bool fits = after.excess(most) == 0;
        if (!fits && end - begin > 1) {
            group = (end - begin) / 2;
            continue;
        }
        if (fits) {
            dropped = std::move(next);
            now = std::move(after);
        }
        begin = end;
        group = fits ? group * 2 : 1;
    }
}

/// Drops values until every step needs at most `most` bytes, or until none helps.
Recomputation::Trial Recomputation::descend(std::vector<bool>& dropped, int64_t most) {
    Trial now = trial(dropped);
    for (int levels = 0; now.excess(most) > 0 && levels <= most_levels;)
        levels = drop_all(dropped, now, most, levels) ? 0 : levels + 1;
    return now;
}

std::optional<Recomputation::Choice> Recomputation::within(int64_t bytes) {
    for (double share : shares) {
        std::vector<bool> dropped = cheap_;
        Trial now = descend(dropped, int64_t(share * double(bytes)));
        if (now.excess(bytes) > 0) continue;
        keep_again(dropped, now, bytes);
        return chosen(now);
    }
    return std::nullopt;
}

Recomputation::Choice Recomputation::smallest(int64_t too_few, int64_t enough) {
    std::optional<Choice> best;
    for (int i = 0; i < bisections; ++i) {
        int64_t middle = too_few + (enough - too_few) / 2;
        std::optional<Choice> choice = within(middle);
        if (choice) best = std::move(choice);
        (choice ? enough : too_few) = middle;
    }
    return best ? *std::move(best) : chosen(trial(cheap_));
}

/// Only the repeats that the table calls, numbered in the order of their first calls.
Recomputation::Choice Recomputation::chosen(const Trial& trial) const {
    const size_t own = program_.kernels.size();
    Choice result{{}, trial.table, {accesses_.begin(), accesses_.begin() + long(own)}};
    std::unordered_map<uint32_t, uint32_t> numbers;
    for (loop::Step& step : result.table) {
        if (step.kind != loop::Step::Kind::kernel || step.kernel < own) continue;
        auto [place, fresh] = numbers.emplace(step.kernel, uint32_t(own + result.repeats.size()));
        if (fresh) {
            result.repeats.push_back(repeats_[step.kernel - own]);
            result.accesses.push_back(accesses_[step.kernel]);
        }
        step.kernel = place->second;
    }
    return result;
}

} // namespace gradc
