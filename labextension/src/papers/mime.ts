/** What JupyterLab's file browser drags: paths. */
export const CONTENTS_MIME = 'application/x-jupyter-icontents';
