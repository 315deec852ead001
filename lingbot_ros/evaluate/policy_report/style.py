"""The look of the page: one column on a phone, black on white on paper."""

STYLE = """
:root{--ink:#1a1f24;--soft:#5a6570;--line:#d8dee4;--imagined:#1f6feb;--real:#c2410c}
*{box-sizing:border-box}body{margin:0;background:#f5f7f9;color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:900px;margin:0 auto;padding:12px}h1{font-size:1.3rem;margin:0 0 8px}h2{font-size:1.1rem;margin:0 0 8px}
header,section{background:#fff;border:1px solid var(--line);border-radius:10px;padding:16px;margin:0 0 12px}
header{border-left:8px solid #1a7f37}
header.doubtful{border-left-color:#bf8700}header.refused{border-left-color:#b42318}
.lead{font-size:1.15rem;font-weight:600}
p{margin:0 0 10px}header p:last-child{margin:0}.warnings{border-left:8px solid #bf8700}ul{margin:0;padding-left:20px}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.88rem}
th,td{text-align:left;padding:5px 8px;border-bottom:1px solid var(--line);vertical-align:top}
th{color:var(--soft);font-weight:600}td{white-space:nowrap}td small{display:block;color:var(--soft)}
svg{width:100%;max-width:560px;height:auto;display:block;margin:0 auto 8px;
font:12px system-ui,sans-serif;fill:var(--ink)}
svg .small{font-size:10px;fill:var(--soft)}svg .grid,svg .frame,svg .same{stroke:var(--line);fill:none}
svg .same{stroke-dasharray:5 4;stroke:var(--soft)}svg .thin{stroke:var(--imagined);opacity:.35}
svg line.imagined{stroke:var(--imagined);stroke-width:2.5}svg circle.imagined{fill:var(--imagined)}
svg line.real{stroke:var(--real);stroke-width:1.5}svg circle.real{fill:#fff;stroke:var(--real);stroke-width:2}
.key{white-space:nowrap;font-weight:600}.key.imagined{color:var(--imagined)}.key.imagined::before{content:"● "}
.key.real{color:var(--real)}.key.real::before{content:"○ "}
figure{margin:0 0 12px}figure img{width:100%;height:auto;display:block;border:1px solid var(--line);border-radius:4px}
figcaption{font-size:.88rem;color:var(--soft)}dt{font-weight:600;margin-top:6px}dd{margin:0;overflow-wrap:anywhere}
.loose td{white-space:normal}
@media print{body{background:#fff;font-size:11pt}
header,section{border-radius:0;break-inside:avoid}.wide{overflow:visible}}
"""
