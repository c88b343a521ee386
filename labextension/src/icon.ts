import { LabIcon } from '@jupyterlab/ui-components';

import source from '../style/icons/swarm.svg';

/** A swarm: six agents around what they work at. */
export const swarmIcon = new LabIcon({ name: 'jupyter-swarm:swarm', svgstr: source });
