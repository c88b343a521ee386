"""How the view looks: calm, in the theme's own colours (light, dark, high contrast), with fallbacks outside JupyterLab.

Badges carry their own background, so that their contrast (5:1 or more) holds in every theme, and always say in words
what their colour says.
"""

CSS = """
.jsw{--ink:var(--jp-ui-font-color1,var(--vscode-foreground,CanvasText));
--soft:var(--jp-ui-font-color2,var(--vscode-descriptionForeground,GrayText));
--line:var(--jp-border-color2,rgba(128,128,128,.4));--fill:var(--jp-layout-color2,rgba(128,128,128,.13));
--brand:var(--jp-brand-color1,#1976d2);
color:var(--ink);font:13px/1.5 var(--jp-ui-font-family,system-ui,sans-serif);font-variant-numeric:tabular-nums;
min-width:0;overflow-wrap:anywhere}
.jsw *{box-sizing:border-box}
.jsw h2,.jsw h3{margin:0;padding:0;border:0;color:var(--ink);font-family:inherit;letter-spacing:0}
.jsw h2{font-size:17px;font-weight:600;line-height:1.4}
.jsw h3{font-size:13px;font-weight:600;margin:0 0 6px}
.jsw h3 small{font-weight:400;font-size:12px;color:var(--soft);margin-left:6px}
.jsw p{margin:0 0 4px}
.jsw .soft{color:var(--soft)}
.jsw .head{display:flex;flex-wrap:wrap;gap:4px 10px;align-items:center}
.jsw .question{margin:2px 0 0;color:var(--soft)}
.jsw .badge{display:inline-block;border-radius:10px;padding:0 9px;font-size:11.5px;line-height:20px;font-weight:600;
color:#fff;background:#57606a;white-space:nowrap}
.jsw .badge.supported,.jsw .badge.done{background:#1a7f37}
.jsw .badge.refuted,.jsw .badge.failed,.jsw .badge.lost{background:#b42318}
.jsw .badge.running{background:#0b62b5}
.jsw .badge.paused{background:#8a5300}
.jsw .bars{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:8px 20px}
.jsw .bar{height:6px;border-radius:3px;background:var(--fill);overflow:hidden;display:flex;
box-shadow:inset 0 0 0 1px var(--line)}
.jsw .bar>i{display:block;height:100%;background:var(--brand)}
.jsw .bar>i.second{background:#1a7f37}
.jsw .label{display:flex;justify-content:space-between;gap:8px;font-size:12px;color:var(--soft)}
.jsw .label b{color:var(--ink);font-weight:600}
.jsw .answer{border-left:3px solid var(--brand);padding:2px 0 2px 12px;margin:0}
.jsw .answer.plain{border-color:var(--line)}
.jsw table.grid{width:100%;border-collapse:collapse;margin:0;border:0;font-size:12.5px;table-layout:auto}
.jsw table.grid th,.jsw table.grid td{padding:3px 8px 3px 0;text-align:left;border:0;background:none;
border-bottom:1px solid var(--line);vertical-align:top;color:var(--ink);white-space:normal}
.jsw table.grid tr{background:none!important}
.jsw table.grid th{font-weight:400;color:var(--soft);font-size:12px}
.jsw table.grid .n{text-align:right;padding-right:0;padding-left:8px;white-space:nowrap}
.jsw table.grid tr:last-child td{border-bottom:0}
.jsw .card{padding:8px 0;border-top:1px solid var(--line)}
.jsw .card .top{display:flex;gap:10px;align-items:baseline}
.jsw .card .top .say{flex:1;min-width:0;font-weight:500}
.jsw .card .top .effect{font-weight:600;white-space:nowrap}
.jsw .card .facts{display:flex;flex-wrap:wrap;gap:2px 14px;align-items:center;color:var(--soft);font-size:12px;
margin-top:3px}
.jsw .card svg{flex:none}
.jsw details{font-size:12.5px;margin-top:2px}
.jsw summary{cursor:pointer;color:var(--soft);width:fit-content}
.jsw summary:focus-visible{outline:2px solid var(--brand);outline-offset:2px}
.jsw blockquote{margin:4px 0 8px;padding:0 0 0 10px;border-left:2px solid var(--line);color:var(--ink);background:none}
.jsw blockquote footer{color:var(--soft);font-size:12px}
.jsw pre{margin:4px 0;padding:8px 10px;background:var(--fill);color:var(--ink);border-radius:4px;overflow:auto;
max-height:220px;font:12px/1.45 var(--jp-code-font-family,monospace);white-space:pre-wrap}
.jsw .log{max-height:120px;overflow:auto;font-size:12px;margin:0;padding:0;list-style:none}
.jsw .log li{display:flex;gap:10px;margin:0;line-height:1.6}
.jsw .log time{color:var(--soft);white-space:nowrap}
.jsw .level{font-weight:600}
.jsw .alert{border:1px solid #b42318;border-left-width:4px;border-radius:4px;padding:8px 12px}
.jsw .said{min-height:20px;color:var(--soft);font-size:12.5px}
.jsw svg.plot{display:block;width:100%;height:auto;max-width:640px}
.jsw svg text{fill:var(--soft);font:10px var(--jp-ui-font-family,system-ui,sans-serif)}
.jsw-static>section{margin:14px 0 0}
.jsw-static{max-width:960px;padding:4px 2px}
.jsw-live{border:1px solid var(--jp-border-color2,rgba(128,128,128,.4));border-radius:8px;padding:14px 18px;
max-width:1080px;gap:12px}
.jsw-live .widget-html-content,.jsw-live .jupyter-widgets-html-content,.jsw-live .widget-html{line-height:1.5;
height:auto}
.jsw-live .widget-html>.widget-html-content>div{white-space:normal}
.jsw-row{display:grid!important;grid-template-columns:minmax(0,1fr) 170px 270px;gap:0 18px;align-items:start;
border-top:1px solid var(--jp-border-color2,rgba(128,128,128,.4));padding:6px 0;overflow:visible}
.jsw-pair{display:grid!important;grid-template-columns:repeat(auto-fit,minmax(320px,1fr));gap:14px 32px;
overflow:visible}
.jsw-tools{flex-wrap:wrap;align-items:center;gap:4px;overflow:visible}
.jsw-live .jupyter-button{border-radius:4px;border:1px solid var(--jp-border-color1,rgba(128,128,128,.6));
background:transparent;color:var(--jp-ui-font-color1,inherit)}
.jsw-live .jupyter-button:focus-visible{outline:2px solid var(--jp-brand-color1,#1976d2);outline-offset:1px}
.jsw-live .jupyter-button:disabled{opacity:.45}
.jsw-live .jupyter-widgets-disconnected::before{display:none!important}
.jsw-live.jupyter-widgets-disconnected::before{content:"The kernel that drew this has ended or begun anew; its swarm \
needs none. %swarm watch and its name bring the view back.";border-left:4px solid #b54708;padding:4px 10px;
background:var(--jp-layout-color2,rgba(128,128,128,.13));color:var(--jp-ui-font-color1,inherit);
font:13px/1.5 var(--jp-ui-font-family,system-ui,sans-serif)}
.jsw-live.jupyter-widgets-disconnected>*{filter:grayscale(1)}
.jsw-live.jupyter-widgets-disconnected :is(.jupyter-button,.widget-slider){pointer-events:none;opacity:.45}
.jsw-press,.jsw-stop{display:contents!important}
.jsw-press .widget-toggle-button{display:inline-flex;flex-direction:row-reverse;align-items:center;width:auto;margin:0}
.jsw-press .mod-active{background:var(--jp-layout-color3,rgba(128,128,128,.4));box-shadow:none}
.jsw-stop:not(:has(>.jsw-press:first-child .mod-active))>.jsw-really{display:none!important}
.jsw-really .widget-toggle-button{border-color:#b42318;font-weight:600}
.jsw-queued{visibility:hidden;max-width:0;max-height:0;overflow:hidden;order:1}
.jsw-queued code{user-select:all;background:var(--jp-layout-color2,rgba(128,128,128,.13));padding:1px 4px}
.jsw-press:has(.mod-active)>.jsw-queued{animation:jsw-queued 0s 1s forwards}
.jsw-row>.jsw-queued{grid-column:1/-1;order:0}
@keyframes jsw-queued{to{visibility:visible;max-width:100%;max-height:80px;flex-basis:100%}}
@media (max-width:800px){.jsw-row{grid-template-columns:minmax(0,1fr)}}
""".replace("\n", "")


def sheet() -> str:
    """The style sheet as an element."""
    return f"<style>{CSS}</style>"
