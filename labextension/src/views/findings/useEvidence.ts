import type { Host } from '../../host';
import type { SwarmModel } from '../../model';
import { useTask, useTrans } from '../../parts';
import type { Steering } from '../../steering';
import { variationRun } from './variation';

/** What a person may do with a hypothesis's code and runs. */
export interface EvidenceActions {
  busy: boolean;
  insert: () => void;
  replicate: () => void;
  open: () => void;
}

/** Insert the cell of a hypothesis, run it again, open the notebook of one of its runs. */
export function useEvidence(model: SwarmModel, steering: Steering, host: Host, id: string): EvidenceActions {
  const trans = useTrans();
  const [busy, run] = useTask(host);
  const { folder, name } = model;
  const code = async (): Promise<string> => (await host.api.hypothesis(folder, name, id)).code;
  const codeOf = async (number: number): Promise<string> => (await host.api.run(folder, name, number)).code;
  const withRun = (act: (number: number) => Promise<unknown>) => (): void => {
    run(async () => {
      const number = await variationRun(model.runs, id, code, codeOf);
      if (number === null) {
        host.notify(trans.__('No run of %1 has a value yet.', id), 'warning');
      } else {
        await act(number);
      }
    });
  };
  return {
    busy,
    insert: () => {
      run(async () => {
        await insertCell(host, await code(), trans.__('The cell of %1 stands below the active one.', id));
      });
    },
    replicate: withRun(async number => steering.ask('replicate', String(number))),
    open: withRun(async number => {
      const { path } = await host.api.copyNotebook(folder, name, number);
      await host.openPath(path);
    })
  };
}

/** Insert a cell, and say so where it was done; where there is no notebook, the host says that. */
export async function insertCell(host: Host, code: string, said: string): Promise<void> {
  if (await host.insertCell(code)) {
    host.notify(said, 'info');
  }
}
