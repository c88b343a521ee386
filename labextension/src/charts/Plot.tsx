import { useEffect, useRef, type ReactElement } from 'react';
import uPlot from 'uplot';

import { onTheme } from './theme';

/** A plot's options, without what its place decides. */
export type Options = Omit<uPlot.Options, 'width' | 'height'>;

/** What is drawn. */
export interface PlotProps {
  /** Makes the options; another function builds the plot anew, so keep it while they mean the same. */
  make: () => Options;
  /** Others are drawn into the plot that is there. */
  data: uPlot.AlignedData;
  /** CSS pixels, without the legend. */
  height: number;
  /** What a person who cannot see it has to know. */
  label: string;
  /** Called after new data were drawn, to place what lies over them. */
  after?: ((plot: uPlot) => void) | undefined;
}

/** uPlot inside React: as wide as its place, redrawn when the theme changes, gone with its component. */
export function Plot({ make, data, height, label, after }: PlotProps): ReactElement {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  useEffect(() => {
    const node = place.current;
    if (!node) {
      return;
    }
    const made = new uPlot({ ...make(), width: Math.max(node.clientWidth, 80), height }, undefined, node);
    plot.current = made;
    const resize = new ResizeObserver(() => {
      if (node.clientWidth > 0 && node.clientWidth !== made.width) {
        made.setSize({ width: node.clientWidth, height });
      }
    });
    resize.observe(node);
    const forget = onTheme(() => {
      made.redraw(false, false);
    });
    return () => {
      forget();
      resize.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [make, height]);
  useEffect(() => {
    plot.current?.setData(data);
  }, [data, make, height]);
  useEffect(() => {
    // uPlot draws in a microtask: its scales are new after it.
    queueMicrotask(() => {
      if (plot.current) {
        after?.(plot.current);
      }
    });
  }, [after, data, make, height]);
  return <div ref={place} className="jp-Swarm-plot" role="img" aria-label={label} />;
}
