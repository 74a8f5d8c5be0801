// What every dial was last set to, and whether it is: in what plays, and in the patch.
import type { Engine } from '#src/control/engine.js';
import { DIAL_PARAM, DIALS, REMOTE_DIALS } from './stage.js';

export class Ledger {
  readonly values = new Map<string, number>([...DIALS, ...REMOTE_DIALS].map((id) => [`${id}.${DIAL_PARAM}`, 0]));

  set(key: string, value: number): void {
    this.values.set(key, value);
  }

  differences(engine: Engine): string[] {
    return [...this.values].flatMap(([key, wanted]) => {
      const [id, param] = key.split('.') as [string, string];
      const plays = engine.moduleInfo(id).params[param];
      const noted = engine.patch.modules.get(id)?.params.get(param)?.[0] ?? 0;
      return plays === wanted && Math.fround(noted) === wanted
        ? []
        : [`${key} is ${String(plays)} (patch: ${noted}), last set to ${wanted}`];
    });
  }
}
