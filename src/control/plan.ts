// Compiles the graph into a plan in the arena: the immutable list of what each DSP thread does in a block.
import type { InputKind } from '../kernel/index.js';
import { perLane } from '../kernel/shape.js';
import { PARTITION, PLAN, SEGMENT, STEP } from '../shared/layout.js';
import type { Arena } from './arena.js';
import { CARRY } from './carry.js';
import { Draft, NO_BUFFER, type Buffer } from './draft.js';
import { inputKind, inputKindOf, orderUnits, usedOutputs, type GraphNode, type Source, type Unit } from './graph.js';
import { LOOP_HEADROOM, type Instances } from './instances.js';
import type { Kernel, KernelNeed, Kernels } from './kernels.js';
import { schedule, type Partition } from './schedule.js';

/** Estimated nanoseconds of one operation for one lane group, and of one kernel call; about what the standard voice's kernels take (`krell bench kernels`). */
const OPERATION_NS = 0.22;
const CALL_NS = 25;

const MAX_GROUPS = 4;

export interface PlanSettings {
  readonly blockFrames: number;
  readonly sampleRate: number;
  readonly workers: number;
  /** What it costs to hand work from one thread to another. */
  readonly handoffNs: number;
  /** Table index of the carry kernel. */
  readonly carry: number;
}

export interface Plan {
  /** Byte address of its PLAN record; all of its memory is one allocation there. */
  readonly address: number;
  readonly partitions: readonly Partition[];
  /** Worker of each module, by instance name. */
  readonly workerOf: ReadonlyMap<string, number>;
  /** Milliseconds that it took to decide which thread runs what. */
  readonly assignMs: number;
}

/** A kernel call. */
interface Step {
  /** What it computes: one module, or several as lanes of one state. */
  readonly nodes: readonly GraphNode[];
  /** The first of them: in all but what feeds it, it stands for all. */
  readonly node: GraphNode;
  /** How inputs are fed, and whether outputs are used. */
  inputs: readonly InputKind[];
  readonly outputs: readonly boolean[];
  kernel: Kernel | undefined;
  readonly buffers: Buffer[];
}

interface Reader {
  readonly node: GraphNode;
  readonly input: number;
  readonly output: number;
}
const NO_READERS: readonly Reader[] = [];

class PlanBuilder {
  readonly #draft = new Draft();
  readonly #units: Unit[];
  /** By unit. */
  readonly #steps: Step[][];
  readonly #stepOf = new Map<GraphNode, Step>();
  readonly #partitionOf = new Map<GraphNode, number>();
  readonly #readers = new Map<GraphNode, Reader[]>();
  /** Loop units: each node's place in the order of a sample. */
  readonly #place = new Map<GraphNode, { unit: Unit; at: number }>();
  readonly #takenLoopBuffers: { node: GraphNode; output: number }[] = [];

  constructor(
    readonly arena: Arena,
    readonly instances: Instances,
    readonly settings: PlanSettings,
    readonly nodes: readonly GraphNode[],
    readonly bus: readonly (Source | undefined)[],
  ) {
    this.#units = orderUnits(nodes);
    this.#steps = this.#units.map((unit) => {
      if (!unit.loop) return [this.#newStep(unit.nodes)];
      unit.nodes.forEach((node, at) => this.#place.set(node, { unit, at }));
      return unit.nodes.map((node) => this.#newStep([node]));
    });
    const together = (a: GraphNode, b: GraphNode): boolean => this.#stepOf.get(a) === this.#stepOf.get(b);
    for (const steps of this.#steps)
      for (const step of steps) step.inputs = step.node.inputs.map((_, input) => inputKindOf(step.nodes, input, together));
    for (const node of nodes) {
      node.inputs.forEach((source, input) => {
        if (!source) return;
        const reader = { node, input, output: source.output };
        const readers = this.#readers.get(source.node);
        if (readers) readers.push(reader);
        else this.#readers.set(source.node, [reader]);
      });
    }
  }

  #newStep(nodes: readonly GraphNode[]): Step {
    const [node] = nodes as [GraphNode];
    const step: Step = { nodes, node, inputs: [], outputs: usedOutputs(node), kernel: undefined, buffers: [] };
    for (const member of nodes) this.#stepOf.set(member, step);
    return step;
  }

  /** Gets the kernels, which may have to be compiled first. */
  async fetch(kernels: Kernels): Promise<this> {
    const steps = this.#steps.flat();
    const fetched = await kernels.all(steps.map((step) => this.#need(step)));
    steps.forEach((step, i) => (step.kernel = fetched[i]!));
    return this;
  }

  #need({ nodes, node, inputs, outputs }: Step): KernelNeed {
    const { definition, voices, lane } = node.instance;
    const packed = lane === undefined ? undefined : nodes.map(({ instance }) => instance.lane!);
    return { definition, variant: { sampleRate: this.settings.sampleRate, voices, packed, inputs, outputs } };
  }

  /** Estimated nanoseconds of a unit per block. */
  #cost(unit: Unit, i: number): number {
    const { blockFrames } = this.settings;
    const calls = unit.loop ? blockFrames : 1;
    return this.#steps[i]!.reduce((sum, { node, kernel }) => {
      const groups = Math.ceil(node.instance.voices / 4);
      return sum + calls * CALL_NS + kernel!.operations * OPERATION_NS * groups * blockFrames;
    }, 0);
  }

  build(): Plan {
    const work = this.#units.map((unit, i) => ({ after: unit.after, cost: this.#cost(unit, i) }));
    const begin = performance.now();
    const partitions = schedule(work, this.settings.workers, this.settings.handoffNs);
    const assignMs = performance.now() - begin;
    partitions.forEach((partition, i) =>
      partition.units.forEach((unit) => this.#units[unit]!.nodes.forEach((node) => this.#partitionOf.set(node, i))),
    );
    const draft = this.#draft;
    const plan = draft.room(PLAN.WORDS);
    const table = draft.room(partitions.length * PARTITION.WORDS);
    draft.point(plan + PLAN.PARTITIONS, table);
    draft.words[plan + PLAN.PARTITION_COUNT] = partitions.length;
    draft.words[plan + PLAN.WORKERS] = new Set(partitions.map(({ worker }) => worker)).size;
    try {
      partitions.forEach((partition) => this.#allocate(partition));
      partitions.forEach((partition, i) => this.#partition(table + i * PARTITION.WORDS, partition, i, partitions));
      const bus = draft.room(this.bus.length);
      draft.point(plan + PLAN.BUS, bus);
      this.bus.forEach((source, channel) => source && this.#pointBuffer(bus + channel, source, 0, true));
      const slots = [...this.#partitionOf].map(([node, partition]) => [node.instance.slot, partition] as const);
      const address = draft.publish(this.arena, plan + PLAN.SLOT_PARTITION, slots);
      const workerOf = new Map([...this.#partitionOf].map(([node, i]) => [node.instance.name, partitions[i]!.worker]));
      return { address, partitions, workerOf, assignMs };
    } catch (error) {
      for (const { node, output } of this.#takenLoopBuffers) {
        this.arena.give(node.instance.loopBuffers.get(output)! - LOOP_HEADROOM);
        node.instance.loopBuffers.delete(output);
      }
      throw error;
    }
  }

  // ── buffers ──

  #frameWords(node: GraphNode): number {
    return node.instance.layout.lanes;
  }

  /** Words of an output's buffer: as many lane groups as its widest reader, for groups beyond the source's must read as silence. */
  #words(node: GraphNode, output: number): { words: number; wide: boolean } {
    const { blockFrames } = this.settings;
    const own = Math.ceil(node.instance.voices / 4);
    let groups = own;
    for (const reader of this.#readers.get(node) ?? NO_READERS)
      if (reader.output === output && inputKind(reader.node, reader.input) === 'p')
        groups = Math.max(groups, Math.ceil(reader.node.instance.voices / 4));
    return { words: this.#frameWords(node) * blockFrames * groups, wide: groups > own };
  }

  /** Whether a reader comes no later than the source in the order of a sample, so that it reads the frame before. */
  #closesLoop(source: GraphNode, reader: GraphNode): boolean {
    const [from, to] = [this.#place.get(source), this.#place.get(reader)];
    return from !== undefined && to !== undefined && from.unit === to.unit && to.at <= from.at;
  }

  /** Gives every used output of a partition its buffer; one that only the partition itself reads is reused after its last reader. */
  #allocate(partition: Partition): void {
    const order = partition.units.flatMap((unit) => this.#steps[unit]!);
    const at = new Map<Step, number>(order.map((step, i) => [step, i]));
    const free = new Map<number, number[]>();
    const ends: { offset: number; words: number }[][] = order.map(() => []);
    const allocate = (step: Step, i: number, output: number): Buffer => {
      const { node, nodes } = step;
      // A reader in a loop reads it sample by sample until the loop's last node has run.
      let last = i;
      for (const from of nodes)
        for (const reader of this.#readers.get(from) ?? NO_READERS) {
          if (reader.output !== output) continue;
          if (this.#closesLoop(node, reader.node)) return { word: -1, address: this.#loopBuffer(node, output) };
          const end = this.#place.get(reader.node)?.unit.nodes.at(-1) ?? reader.node;
          last = Math.max(last, at.get(this.#stepOf.get(end)!) ?? i);
        }
      const { words, wide } = this.#words(node, output);
      const kept = wide || this.#place.has(node) || this.#leaves(step, output);
      const offset = (kept ? undefined : free.get(words)?.pop()) ?? this.#draft.buffer(words);
      if (!kept) ends[last]!.push({ offset, words });
      return { word: offset, address: 0 };
    };
    order.forEach((step, i) => {
      step.outputs.forEach((used, output) => step.buffers.push(used ? allocate(step, i, output) : NO_BUFFER));
      for (const { offset, words } of ends[i]!) {
        const spans = free.get(words);
        if (spans) spans.push(offset);
        else free.set(words, [offset]);
      }
    });
  }

  /** Lane groups of a loop's buffer: all there can be, for its readers may change while it stays. */
  #loopGroups(node: GraphNode): number {
    return node.instance.voices === 1 ? 1 : MAX_GROUPS;
  }

  #loopBuffer(node: GraphNode, output: number): number {
    const { loopBuffers, name } = node.instance;
    let address = loopBuffers.get(output);
    if (address === undefined) {
      // The frame before the first lies in the bytes before the buffer.
      const words = this.#frameWords(node) * this.settings.blockFrames * this.#loopGroups(node);
      address = this.arena.take(LOOP_HEADROOM + words * 4, `the loop through ${name}`) + LOOP_HEADROOM;
      loopBuffers.set(output, address);
      this.#takenLoopBuffers.push({ node, output });
    }
    return address;
  }

  /** Sets a word to where an output's samples begin, `back` bytes earlier; to its own lane of them, unless all lanes are meant. */
  #pointBuffer(word: number, source: Source, back: number, allLanes: boolean): void {
    const buffer = this.#stepOf.get(source.node)!.buffers[source.output]!;
    this.#draft.pointAt(word, buffer, (allLanes ? 0 : (source.node.instance.lane ?? 0) * 4) - back);
  }

  /** Whether another partition or the bus reads an output. */
  #leaves({ node: home, nodes }: Step, output: number): boolean {
    const partition = this.#partitionOf.get(home);
    for (const node of nodes)
      for (const reader of this.#readers.get(node) ?? NO_READERS)
        if (reader.output === output && this.#partitionOf.get(reader.node) !== partition) return true;
    return this.bus.some((source) => source !== undefined && source.output === output && nodes.includes(source.node));
  }

  // ── partitions, segments, steps ──

  #partition(word: number, partition: Partition, index: number, partitions: readonly Partition[]): void {
    const draft = this.#draft;
    const segments: { mode: number; steps: number[] }[] = [];
    const blockwise = (): number[] => {
      if (segments.at(-1)?.mode !== 0) segments.push({ mode: 0, steps: [] });
      return segments.at(-1)!.steps;
    };
    for (const i of partition.units) {
      const unit = this.#units[i]!;
      const steps = this.#steps[i]!.map((step) => this.#step(step));
      if (!unit.loop) blockwise().push(...steps);
      else {
        blockwise().push(this.#carry(unit));
        segments.push({ mode: 1, steps });
      }
    }
    const table = draft.room(segments.length * SEGMENT.WORDS);
    const all = segments.flatMap(({ steps }) => steps);
    let next = draft.list(all, true);
    draft.point(word + PARTITION.STEPS, next);
    draft.words[word + PARTITION.STEP_COUNT] = all.length;
    segments.forEach(({ mode, steps }, i) => {
      const segment = table + i * SEGMENT.WORDS;
      draft.words[segment + SEGMENT.MODE] = mode;
      draft.point(segment + SEGMENT.STEPS, next);
      draft.words[segment + SEGMENT.STEP_COUNT] = steps.length;
      next += steps.length;
    });
    const successors = partitions.flatMap(({ after }, i) => (after.includes(index) ? [i] : []));
    draft.point(word + PARTITION.AFTER, draft.list(partition.after));
    draft.words[word + PARTITION.AFTER_COUNT] = partition.after.length;
    this.#readElsewhere(word, partition);
    draft.point(word + PARTITION.SEGMENTS, table);
    draft.words[word + PARTITION.SEGMENT_COUNT] = segments.length;
    draft.point(word + PARTITION.SUCCESSORS, draft.list(successors));
    draft.words[word + PARTITION.SUCCESSOR_COUNT] = successors.length;
    draft.words[word + PARTITION.WORKER] = partition.worker;
    draft.words[word + PARTITION.EVENTS] = -1;
  }

  /** Lists the groups of samples that other partitions or the bus read. */
  #readElsewhere(word: number, partition: Partition): void {
    const draft = this.#draft;
    const groups: { buffer: Buffer; bytes: number; lanes: number }[] = [];
    for (const step of partition.units.flatMap((unit) => this.#steps[unit]!)) {
      const { node, buffers } = step;
      const lanes = this.#frameWords(node);
      buffers.forEach((buffer, output) => {
        if (buffer === NO_BUFFER || !this.#leaves(step, output)) return;
        for (let group = 0; group < Math.ceil(node.instance.voices / 4); group++)
          groups.push({ buffer, bytes: group * this.settings.blockFrames * lanes * 4, lanes });
      });
    }
    const list = draft.room(groups.length * 2);
    groups.forEach(({ buffer, bytes, lanes }, i) => {
      draft.pointAt(list + 2 * i, buffer, bytes);
      draft.words[list + 2 * i + 1] = lanes;
    });
    draft.point(word + PARTITION.OUTPUTS, list);
    draft.words[word + PARTITION.OUTPUT_COUNT] = groups.length;
  }

  #step({ nodes, node: first, inputs, outputs, kernel }: Step): number {
    const draft = this.#draft;
    const { instance } = first;
    const groupBytes = this.settings.blockFrames * 16;
    const ports: { source: Source; back: number; stride: number; allLanes: boolean }[] = [];
    inputs.forEach((kind, i) => {
      if (kind === '-') return;
      for (const node of instance.lane !== undefined && perLane(kind) ? nodes : [first]) {
        const source = node.inputs[i]!;
        const back = this.#closesLoop(source.node, node) ? this.#frameWords(source.node) * 4 : 0;
        ports.push({ source, back, stride: groupBytes, allLanes: kind === 'p' });
      }
    });
    const firstOutput = ports.length;
    outputs.forEach(
      (isUsed, output) => isUsed && ports.push({ source: { node: first, output }, back: 0, stride: groupBytes, allLanes: true }),
    );
    const record = draft.room(STEP.PORTS + ports.length * 2);
    draft.words[record + STEP.KERNEL] = kernel!.index;
    draft.words[record + STEP.STATE] = instance.state;
    draft.words[record + STEP.TABLES] = this.instances.tables(instance.definition);
    draft.words[record + STEP.FIRST_OUTPUT] = firstOutput;
    draft.words[record + STEP.OUTPUT_COUNT] = ports.length - firstOutput;
    for (const {
      instance: { lane = 0, address },
    } of nodes) {
      draft.words[record + STEP.LANES]! |= 1 << lane;
      draft.words[record + STEP.SLOTS + lane] = address;
    }
    ports.forEach(({ source, back, stride, allLanes }, i) => {
      this.#pointBuffer(record + STEP.PORTS + 2 * i, source, back, allLanes);
      draft.words[record + STEP.PORTS + 2 * i + 1] = stride;
    });
    return record;
  }

  /** The step before a loop that moves the last frame of its feedback buffers to before the first. */
  #carry(unit: Unit): number {
    const draft = this.#draft;
    const pairs: number[] = [];
    for (const node of unit.nodes)
      for (const buffer of this.#stepOf.get(node)!.buffers) {
        if (buffer.address === 0) continue;
        const frame = this.#frameWords(node) * 4;
        const group = this.settings.blockFrames * frame;
        // Groups lie without a gap: the frame before group g is the last of group g − 1, which has been carried by then
        // and is not written again before the block's end.
        for (let g = 0; g < this.#loopGroups(node); g++)
          for (let byte = 0; byte < frame; byte += 4)
            pairs.push(buffer.address + g * group + group - frame + byte, buffer.address + g * group - frame + byte);
      }
    const step = draft.room(CARRY.PAIRS + pairs.length);
    draft.words[step + STEP.KERNEL] = this.settings.carry;
    draft.words[step + CARRY.COUNT] = pairs.length / 2;
    pairs.forEach((value, i) => (draft.words[step + CARRY.PAIRS + i] = value));
    return step;
  }
}

/**
 * Builds a plan, once its kernels are there. Nothing but kernels is published by it.
 * @throws KrellError `memory`, KernelError
 */
export async function buildPlan(
  arena: Arena,
  kernels: Kernels,
  instances: Instances,
  nodes: readonly GraphNode[],
  bus: readonly (Source | undefined)[],
  settings: PlanSettings,
): Promise<Plan> {
  const builder = await new PlanBuilder(arena, instances, settings, nodes, bus).fetch(kernels);
  return builder.build();
}
