// The page of controls: every widget is one that Open Stage Control has, with properties that it knows, and reaches something in the patch.
import { modules } from '#modules/index.js';
import { COMMANDS } from '#src/osc/commands.js';
import { eventsOf, parametersOf } from '#src/osc/query/describe.js';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { file, krell, patch } from './krell.js';

type Widget = { readonly type: string; readonly id: string; readonly widgets?: Widget[]; readonly tabs?: Widget[] } & Readonly<
  Record<string, unknown>
>;

async function page(path: string, ...args: string[]): Promise<{ text: string; tabs: Widget[] }> {
  const { code, stdout, stderr } = await krell(['osc-page', path, ...args]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const session = JSON.parse(stdout) as { content: Widget };
  expect(session).toMatchObject({ type: 'session', version: '1.25.0', content: { type: 'root', id: 'root' } });
  return { text: stdout, tabs: session.content.tabs! };
}

const flat = (widgets: readonly Widget[] = []): Widget[] => widgets.flatMap((widget) => [widget, ...flat(widget.widgets)]);
const byType = (widgets: readonly Widget[], type: string): Widget[] => widgets.filter((widget) => widget.type === type);

/** From Open Stage Control's reference of widgets: what all have, and what each has besides. */
const COMMON = 'type id left top width height expand default address preArgs typeTags decimals target ignoreDefaults';
const PROPERTIES: Readonly<Record<string, string>> = {
  tab: 'label widgets',
  panel: 'layout scroll widgets',
  text: '',
  fader: 'design range logScale steps doubleTap',
  input: 'numeric unit',
  switch: 'layout values',
  dropdown: 'values',
  button: 'label mode on off',
  keyboard: 'keys start on off velocity',
  xy: 'rangeX rangeY',
};

/** A patch with a module of every type. */
const everything = patch(Object.fromEntries(modules.map(({ type }) => [`my-${type.toLowerCase()}`, { type }])), [], {
  title: 'All of them',
  snapshots: { bright: {}, 'not #{this}': {} },
});

describe('krell osc-page', () => {
  it('uses only what Open Stage Control has', async () => {
    const { tabs } = await page(file('all.json', everything));
    for (const widget of flat(tabs)) {
      expect(Object.keys(PROPERTIES), widget.id).toContain(widget.type);
      const known = `${COMMON} ${PROPERTIES[widget.type]!}`.split(' ');
      expect(
        Object.keys(widget).filter((property) => !known.includes(property)),
        widget.id,
      ).toEqual([]);
    }
  });

  it('has a tab for each module, a control for each parameter and event, and nothing that leads nowhere', async () => {
    const { tabs } = await page(file('all.json', everything), '--port', '9100', '--host', 'studio');
    expect(tabs.map(({ id }) => id)).toEqual(['engine', ...modules.map(({ type }) => `my-${type.toLowerCase()}`)]);
    const commands = COMMANDS.map(({ address }) => address);
    for (const widget of flat(tabs).filter(({ address }) => address !== undefined))
      expect(widget).toMatchObject({ target: 'studio:9100', ignoreDefaults: true });
    for (const definition of modules) {
      const id = `my-${definition.type.toLowerCase()}`;
      const addresses = new Set(flat(tabs.filter((tab) => tab.id === id)).flatMap(({ address }) => (address ? [address as string] : [])));
      const onPad = definition.type === 'xy' ? ['x', 'y'] : [];
      const names = [...eventsOf(definition), ...parametersOf(definition)].map(({ name }) => name).filter((name) => !onPad.includes(name));
      expect(addresses).toEqual(new Set(names.map((name) => `/${id}/${name}`)));
    }
    const engine = flat(tabs.slice(0, 1)).flatMap(({ address }) => (address ? [address as string] : []));
    expect(engine.filter((address) => !commands.includes(address))).toEqual([]);
  });

  it('stands where the patch stands', async () => {
    const path = file(
      'some.json',
      patch(
        {
          vcf1: { type: 'vcf', params: { cutoff: '2 kHz', resonance: 0.4 } },
          beat: { type: 'clock' },
          q: { type: 'quantizer', params: { scale: 'minor' } },
          pad: { type: 'xy', params: { x: 0.25 } },
          keys1: { type: 'keys' },
          kick: { type: 'trigger' },
          seq: { type: 'sequencer', params: { length: 7 } },
          hold: { type: 'gate', params: { gate: true } },
        },
        [],
        { tempo: 97, snapshots: { bright: { 'vcf1.cutoff': 8000 }, 'not #{this}': {} } },
      ),
    );
    const { tabs } = await page(path);
    const all = flat(tabs);
    const at = (id: string, type?: string): Widget | undefined => all.find((widget) => widget.id === id && (!type || widget.type === type));
    const cutoff = { address: '/vcf1/cutoff', range: { min: 20, max: 20000 }, logScale: 1000, default: 2000 };
    expect(at('vcf1/cutoff', 'fader')).toMatchObject(cutoff);
    expect(at('vcf1/cutoff', 'input')).toMatchObject({ address: '/vcf1/cutoff', unit: ' Hz', default: 2000 });
    expect(at('vcf1/resonance', 'fader')).not.toHaveProperty('logScale');
    expect(at('beat/tempo', 'fader')).toMatchObject({ default: 97 });
    expect(at('seq/length', 'fader')).toMatchObject({ default: 7, range: { min: 1, max: 16 }, steps: 16, decimals: 0, typeTags: 'i' });
    expect(at('q/scale')).toMatchObject({ default: 'minor' });
    expect(at('hold/gate')).toMatchObject({ type: 'button', mode: 'toggle', on: 1, off: 0, default: 1 });
    expect(at('pad/xy')).toMatchObject({ type: 'xy', rangeX: { min: 0, max: 1 }, default: [0.25, 0.5] });
    expect(at('keys1/note')).toMatchObject({ type: 'keyboard', on: 1, off: 0, velocity: true });
    expect(at('kick/trig')).toMatchObject({ type: 'button', mode: 'momentary' });
    expect(at('kick/count')).toBeUndefined();
    expect(byType(tabs[0]!.widgets!, 'button').map(({ address, preArgs }) => [address, preArgs])).toEqual([
      ['/engine/snapshot/recall', ['bright']],
      ['/engine/record/start', undefined],
      ['/engine/record/stop', undefined],
    ]);
  });

  it('has no text that the program would take for a formula', async () => {
    const { text } = await page(file('odd.json', patch({ a: { type: 'vco' } }, [], { title: 'JS{{ 1 }}', snapshots: { '@{b}': {} } })));
    expect(text).not.toMatch(/[@#]\{|JS\{|VAR\{|IMPORT\{/);
  });

  it.each(readdirSync('patches').filter((name) => name.endsWith('.json')))('prints the same page for %s every time', async (name) => {
    const first = await page(`patches/${name}`);
    expect((await page(`patches/${name}`)).text).toBe(first.text);
    const { modules: ids } = JSON.parse(readFileSync(`patches/${name}`, 'utf8')) as { modules: object };
    expect(first.tabs).toHaveLength(1 + Object.keys(ids).length);
  });

  it('explains a wrong patch', async () => {
    const { code, stdout, stderr } = await krell(['osc-page', file('wrong.json', patch({ a: { type: 'vfc' } }))]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain("did you mean 'vcf'?");
  });
});
